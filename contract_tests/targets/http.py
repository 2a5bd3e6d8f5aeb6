"""A deployment at a base URL, over HTTP."""

import ssl
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

import urllib3

from contract_tests.targets.base import (
    BUSY_STATUSES,
    MAX_RESPONSE_BYTES,
    MAX_RETRY_AFTER,
    RATE_LIMITED,
    USER_AGENT,
    NoResponse,
    Request,
    Response,
    TargetError,
)
from contract_tests.targets.clock import RunClock
from contract_tests.targets.connection import TooManyInterim, open_pool

_CONNECTION_RETRIES = 3
_STATUS_RETRIES = 9


class _Retry(urllib3.Retry):
    """Waits between two tries by the clock of the run, so that the end of the run ends the wait."""

    def __init__(self, *args: Any, clock: RunClock, **options: Any) -> None:
        super().__init__(*args, **options)
        self._clock = clock

    def new(self, **changes: Any) -> Self:
        """Return a copy with changes, as urllib3 makes one for each try."""
        return super().new(clock=self._clock, **changes)

    def get_retry_after(self, response: urllib3.BaseHTTPResponse) -> float | None:
        """Return the seconds of ``Retry-After``; None if there is none, or it cannot be read.

        A time is compared with the ``Date`` of the response, since the clock of the target may differ.
        """
        try:
            with suppress(ValueError, TypeError, ArithmeticError, LookupError):
                until, now = (
                    parsedate_to_datetime(response.headers[name]) for name in ("Retry-After", "Date")
                )
                return min(max((until - now).total_seconds(), 0.0), MAX_RETRY_AFTER)
            return super().get_retry_after(response)
        except (urllib3.exceptions.InvalidHeader, ValueError, TypeError, ArithmeticError, LookupError):
            return None

    def sleep(self, response: urllib3.BaseHTTPResponse | None = None) -> None:
        """Wait as long as the target asks, else a little longer after each try."""
        asked = self.get_retry_after(response) if response else None
        wait = self._clock.wait_while_busy if response else self._clock.wait
        wait(asked or self.get_backoff_time())


class HttpTarget:
    """A deployment over HTTP: keep-alive, verified TLS, ``Retry-After`` obeyed, a bounded number of retries."""

    concurrent = True

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 10.0,
        connections: int = 12,
        clock: RunClock | None = None,
    ) -> None:
        """Open a pool of connections; ``timeout`` is in seconds."""
        parts = _split_base_url(url)
        self.name = self.url = url.rstrip("/")
        self._path = parts.path.rstrip("/")
        self.clock = clock or RunClock()
        self.timeout = timeout
        self._retry = _Retry(
            clock=self.clock,
            total=_CONNECTION_RETRIES + _STATUS_RETRIES,
            connect=_CONNECTION_RETRIES,
            read=_CONNECTION_RETRIES,
            other=_CONNECTION_RETRIES,  # such as TLS
            status=_STATUS_RETRIES,
            redirect=False,
            status_forcelist=BUSY_STATUSES,
            allowed_methods=None,
            backoff_factor=0.1,
            backoff_max=2.0,
            raise_on_status=False,
            retry_after_max=MAX_RETRY_AFTER,
        )
        limits = urllib3.Timeout(connect=min(timeout, 5.0), read=timeout)
        self._open_pool = partial(
            open_pool, self.url, self.clock, maxsize=connections, block=True, timeout=limits
        )
        self._pool = self._open_pool()

    def reconnect(self) -> None:
        """Use new connections from here on; requests that are under way keep theirs."""
        self._pool = self._open_pool()

    def open_host(self) -> "HttpTarget":
        """Return a target for the paths of the same host, with the same time limits."""
        scheme, _, rest = self.url.partition("://")
        return HttpTarget(f"{scheme}://{rest.partition('/')[0]}", timeout=self.timeout, clock=self.clock)

    def send(self, request: Request) -> Response | NoResponse:
        """Send one request; retry a 429, a 503 and a lost connection, within bounds."""
        headers = urllib3.HTTPHeaderDict({"User-Agent": USER_AGENT})
        headers.extend(request.headers)
        started, resent = time.perf_counter(), False
        for retries in reversed(range(_CONNECTION_RETRIES + 1)):
            try:
                received = self._pool.request(
                    request.method, self._path + request.path, body=request.body, headers=headers,
                    chunked="transfer-encoding" in headers, retries=self._retry, redirect=False,
                    preload_content=False,
                )  # fmt: skip
                body = _read_body(received)
                break
            except (urllib3.exceptions.HTTPError, UnicodeEncodeError) as error:
                # Other connections are retried by the pool; this one was lost within the body.
                if not retries or not isinstance(error, urllib3.exceptions.ProtocolError):
                    return NoResponse(_describe_error(error), time.perf_counter() - started)
                resent = True
        history = received.retries.history if received.retries else ()
        return Response(
            received.status,
            tuple(received.headers.items()),
            body,
            time.perf_counter() - started,
            resent or any(entry.status != RATE_LIMITED for entry in history),
        )


def _split_base_url(url: str) -> SplitResult:
    if "@" in url.rpartition("://")[2].partition("/")[0]:  # even of a URL that cannot be split
        raise TargetError("--target holds a user name or a password; each caller sends its own token")
    with suppress(ValueError):  # of an address without its bracket, or a port that is none
        parts = urlsplit(url)
        whole = parts.hostname and parts.port != 0 and not parts.query and not parts.fragment
        if parts.scheme in ("http", "https") and whole:
            return parts
    shown = url.partition("?")[0] + ("?…" if "?" in url else "")  # a query may hold a secret
    raise TargetError(f"{shown!r} is not the base URL of an API; give one like https://host/api/v1")


def _read_body(received: urllib3.BaseHTTPResponse) -> bytes:
    """Return the decoded body, or its beginning if it is too long; then give the connection back to its pool."""
    try:
        return received.read(MAX_RESPONSE_BYTES, decode_content=True)
    finally:
        # After a complete body the pool has the connection already; any other cannot be used again.
        received.close()
        received.release_conn()


def _describe_error(error: Exception) -> str:
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return "the host name cannot be resolved"
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return "the connection was refused"
    if isinstance(cause, urllib3.exceptions.ReadTimeoutError | urllib3.exceptions.ConnectTimeoutError):
        return "no response before the timeout"
    if isinstance(cause, urllib3.exceptions.SSLError):
        return _describe_tls_error(cause)
    if isinstance(cause, urllib3.exceptions.DecodeError):
        return "the response has a broken content encoding"
    if isinstance(cause, urllib3.exceptions.ProtocolError):
        interim = [str(each) for each in cause.args if isinstance(each, TooManyInterim)]
        return interim[0] if interim else "the connection was dropped"
    return str(cause)


def _describe_tls_error(error: urllib3.exceptions.SSLError) -> str:
    inner = error.args[0] if error.args else error
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"TLS failed: {inner.verify_message} (SSL_CERT_FILE names a file of authorities to trust)"
    return f"TLS failed: {error}"
