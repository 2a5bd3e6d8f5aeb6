"""The deployment behind the proxy: calls go on to it, and its answers come back, part by part as they come."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection

from mock_server.contract.model import BASE_PATH
from mock_server.contract.resources import UnusableFileError
from mock_server.proxy.headers import HeaderFields, header_values

#: What the proxy serves where the upstream has its base path.
CHUNK_BYTES = 64 * 1024
#: A field that is never sent: it takes the target past the pool, which would write %2f as %2F.
_TARGET_HEADER = ":target"
_DEFAULT_HEADERS = ("User-Agent", "Accept-Encoding")


class UpstreamError(Exception):
    """There is no answer, or no more of it; `status` is what a client is told."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class _RawTargetConnection:
    """A connection that sends the target of a request as it came."""

    def request(self, method: str, _url: str, *args: Any, headers: Any, **options: Any) -> None:
        target = headers.pop(_TARGET_HEADER)
        super().request(method, target, *args, headers=headers, **options)  # type: ignore[misc]


class _HttpConnection(_RawTargetConnection, HTTPConnection):  # type: ignore[misc]
    """Without TLS."""


class _HttpsConnection(_RawTargetConnection, HTTPSConnection):  # type: ignore[misc]
    """With TLS, verified."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: as it is sent, and the segments that stand below the base of the API, decoded."""

    sent: str
    segments: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    """An answer whose body has yet to come."""

    status: int
    reason: str
    version: str
    fields: HeaderFields
    raw: urllib3.BaseHTTPResponse

    def iter_body(self) -> Iterator[bytes]:
        """The body as it comes, byte for byte; UpstreamError where it breaks off."""
        try:
            while part := self.raw.read1(CHUNK_BYTES, decode_content=False):
                yield part
        except exceptions.HTTPError as error:
            raise UpstreamError(502, "the upstream broke off its answer") from error

    def close(self) -> None:
        """Lets the connection go; one with more to come is closed."""
        self.raw.close()
        self.raw.release_conn()


class Upstream:
    """A deployment by the base URL of its API, such as `https://host/api/v1`; many threads may send to it."""

    def __init__(self, url: str, timeout: float = 30, connections: int = 64) -> None:
        self.url, self._base = check_url(url), urlsplit(url).path.rstrip("/")
        limits = urllib3.Timeout(connect=min(timeout, 10), read=timeout)
        self._pool = urllib3.connection_from_url(self.url, timeout=limits, maxsize=connections, retries=False)
        secure = self.url.startswith("https:")
        self._pool.ConnectionCls = _HttpsConnection if secure else _HttpConnection  # type: ignore[assignment]
        self._timeout = timeout

    def target(self, uri: str) -> Target:
        """Where a path (and query) of the proxy goes: what is below /api/v1 to the base, all else as it is."""
        path, question, query = uri.partition("?")
        below = _path_below(path, BASE_PATH)
        if below is not None:
            path = f"{self._base}{below}" or "/"
        beyond = _path_below(path, self._base)
        segments = None if beyond is None else tuple(unquote(part) for part in beyond.split("/")[1:])
        return Target(path + question + query, segments)

    def send(
        self, method: str, target: Target, fields: HeaderFields, body: bytes | Iterator[bytes]
    ) -> UpstreamResponse:
        """Sends a request with these fields and no others, but for `Host` and what frames the body."""
        headers = urllib3.HTTPHeaderDict({_TARGET_HEADER: target.sent})
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
            raise UpstreamError(*self._told(error)) from error
        version = {9: "0.9", 10: "1.0", 20: "2"}.get(raw.version, "1.1")
        return UpstreamResponse(raw.status, raw.reason or "", version, list(raw.headers.items()), raw)

    def _told(self, error: Exception) -> tuple[int, str]:
        """The status for the client, and what went wrong in words that repeat nothing that was sent."""
        if isinstance(error, exceptions.NameResolutionError):
            return 502, "the upstream's host name cannot be resolved"
        if isinstance(error, exceptions.NewConnectionError):
            return 502, "the upstream refused the connection"
        if isinstance(error, exceptions.TimeoutError):
            return 504, f"the upstream did not answer within {self._timeout:g} seconds"
        if isinstance(error, exceptions.SSLError):
            return 502, f"TLS with the upstream failed: {str(error)[:200]}"
        return 502, "the upstream closed the connection without an answer"


def check_url(url: str) -> str:
    """The URL without a slash at its end; ValueError says in one line what is wrong, and repeats no password."""
    if "@" in url:
        raise UnusableFileError(
            "--upstream: a URL with a user name or password; leave them out, each caller sends its own token"
        )
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "?" in url or "#" in url or not url.isprintable() or " " in url:
        raise UnusableFileError(
            f"--upstream: {url!r} is not the base URL of an API; give one like https://host/api/v1"
        )
    return url.rstrip("/")


def decode_body(raw: bytes, coding: str, limit: int) -> bytes | None:
    """A body without its Content-Encoding, a byte beyond the limit at most; None where it cannot be decoded."""
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
    """What follows the base in a path, however its letters are encoded; None where it is not below it."""
    wanted = [unquote(part) for part in base.split("/")[1:]]
    parts = path.split("/")
    if parts[0] or [unquote(part) for part in parts[1 : len(wanted) + 1]] != wanted:
        return None
    return "".join(f"/{part}" for part in parts[len(wanted) + 1 :])
