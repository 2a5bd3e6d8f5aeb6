"""The deployment behind the proxy: requests are forwarded to it, and its responses are streamed back."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPException, RemoteDisconnected
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3 import exceptions

from mock_server.contract.model import BASE_PATH
from mock_server.contract.resources import UnusableFileError
from mock_server.proxy.connection import (
    TARGET_HEADER,
    InvalidResponseError,
    PlainConnection,
    SecureConnection,
)
from mock_server.proxy.headers import HeaderFields, header_values

CHUNK_BYTES = 64 * 1024
_DEFAULT_HEADERS = ("User-Agent", "Accept-Encoding")


class UpstreamError(Exception):
    """The upstream sent no response or broke it off; `status` is for the response of the proxy."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a forwarded request; `segments` is its decoded path below the base path of the API, or None."""

    uri: str
    segments: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    """A response whose body is not read yet."""

    status: int
    reason: str
    version: str
    fields: HeaderFields
    raw: urllib3.BaseHTTPResponse

    def iter_body(self) -> Iterator[bytes]:
        """Yield the body as it arrives, still encoded; raise UpstreamError if it breaks off."""
        try:
            while part := self.raw.read1(CHUNK_BYTES, decode_content=False):
                yield part
        except exceptions.HTTPError as error:
            raise UpstreamError(502, "the upstream broke off its response") from error

    def close(self) -> None:
        """Release the connection, and close it if the body is not read completely."""
        self.raw.close()
        self.raw.release_conn()


class Upstream:
    """A deployment, by the base URL of its API such as `https://host/api/v1`. It is thread-safe."""

    def __init__(self, url: str, timeout: float = 30, connections: int = 64) -> None:
        self.url, self._base_path = check_url(url), urlsplit(url).path.rstrip("/")
        timeouts = urllib3.Timeout(connect=min(timeout, 10), read=timeout)
        self._pool = urllib3.connection_from_url(
            self.url, timeout=timeouts, maxsize=connections, retries=False
        )
        secure = self.url.startswith("https:")
        self._pool.ConnectionCls = SecureConnection if secure else PlainConnection  # type: ignore[assignment]
        self._timeout = timeout

    def target(self, uri: str) -> Target:
        """Return the target of a path and query of the proxy; /api/v1 becomes the base path of the upstream."""
        path, question_mark, query = uri.partition("?")
        api_path = _path_below(path, BASE_PATH)
        if api_path is not None:
            path = f"{self._base_path}{api_path}" or "/"
        upstream_path = _path_below(path, self._base_path)
        segments = None
        if upstream_path is not None:
            segments = tuple(unquote(part) for part in upstream_path.split("/")[1:])
        return Target(path + question_mark + query, segments)

    def send(
        self, method: str, target: Target, fields: HeaderFields, body: bytes | Iterator[bytes]
    ) -> UpstreamResponse:
        """Send a request with exactly these fields, `Host` and the framing of the body."""
        headers = urllib3.HTTPHeaderDict({TARGET_HEADER: target.uri})
        for name in _DEFAULT_HEADERS:
            if not header_values(fields, name):
                headers[name] = urllib3.util.SKIP_HEADER
        headers.extend(fields)
        try:
            raw = self._pool.urlopen(
                method, "/", body or None, headers, retries=False, redirect=False,
                preload_content=False, decode_content=False,
            )  # fmt: skip
        except exceptions.HTTPError as error:
            raise self._to_upstream_error(error) from error
        version = {9: "0.9", 10: "1.0", 20: "2"}.get(raw.version, "1.1")
        return UpstreamResponse(raw.status, raw.reason or "", version, list(raw.headers.items()), raw)

    def _to_upstream_error(self, error: Exception) -> UpstreamError:
        """Return the error for the client; its message repeats no value of the request."""
        if isinstance(error, exceptions.NameResolutionError):
            return UpstreamError(502, "the upstream's host name cannot be resolved")
        if isinstance(error, exceptions.NewConnectionError):
            return UpstreamError(502, "the upstream refused the connection")
        if isinstance(error, exceptions.TimeoutError):
            return UpstreamError(504, f"the upstream did not respond within {self._timeout:g} seconds")
        if isinstance(error, exceptions.SSLError):
            return UpstreamError(502, f"TLS with the upstream failed: {str(error)[:200]}")
        return UpstreamError(*_explain_failure(error.args[-1] if error.args else None))


def check_url(url: str) -> str:
    """Return the URL without a final slash; raise UnusableFileError, without a password, if it is no base URL."""
    if "@" in url:
        raise UnusableFileError(
            "--upstream: got a URL with a user name or password, expected none: each caller sends its own token"
        )
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")  # a name with an empty or a long part
    except ValueError:
        usable = False
    if not usable or "?" in url or "#" in url or not url.isprintable() or " " in url:
        shown = url.partition("?")[0] + ("?…" if "?" in url else "")  # a query may hold a secret
        raise UnusableFileError(
            f"--upstream: got {shown!r}, expected the base URL of an API such as https://host/api/v1"
        )
    return url.rstrip("/")


def _explain_failure(cause: Any) -> tuple[int, str]:
    """Return the status and the message for a failure of the connection."""
    if isinstance(cause, TimeoutError):
        return 504, "the upstream did not take the request in time"
    if isinstance(cause, InvalidResponseError):
        return 502, f"the response of the upstream is invalid: {cause}"
    if isinstance(cause, HTTPException) and not isinstance(cause, BadStatusLine):
        return 502, "the response of the upstream is invalid: its head is too large"
    if isinstance(cause, BadStatusLine) and not isinstance(cause, RemoteDisconnected):
        return 502, "the response of the upstream is invalid: it does not begin as HTTP"
    return 502, "the upstream closed the connection without a response"


def decode_body(raw: bytes, coding: str, limit: int) -> bytes | None:
    """Return a body without its Content-Encoding, up to one byte beyond the limit; None if that fails."""
    codings = [name.strip().lower() for name in coding.split(",")]
    codings = [name for name in codings if name not in {"", "identity"}]
    if not codings:
        return raw
    if set(codings) - set(urllib3.HTTPResponse.CONTENT_DECODERS):
        return None
    headers = {"Content-Encoding": ", ".join(codings)}
    try:
        return urllib3.HTTPResponse(io.BytesIO(raw), headers, preload_content=False).read(
            limit + 1, decode_content=True
        )
    except exceptions.HTTPError:
        return None


def _path_below(path: str, base: str) -> str | None:
    """Return the rest of a path below a base path in any percent-encoding, or None if it is not below it."""
    base_parts = [unquote(part) for part in base.split("/")[1:]]
    parts = path.split("/")
    if parts[0] or [unquote(part) for part in parts[1 : len(base_parts) + 1]] != base_parts:
        return None
    return "".join(f"/{part}" for part in parts[len(base_parts) + 1 :])
