"""What is judged: anything that answers a request. A deployment over HTTP, or a WSGI app in this process."""

import importlib
import time
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlsplit

import urllib3

from contract_tests import __version__

USER_AGENT = f"cyberun-contract-kit/{__version__}"
RETRIED_STATUSES = (429, 503)


class TargetError(ValueError):
    """A target that cannot be used at all; its text is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: ``path`` is relative to the base URL and already quoted."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered, in ``seconds``. ``resent`` says that a dropped connection made us send it again."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float
    resent: bool = False


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer: a connection that failed or a time-out, said in words."""

    reason: str
    seconds: float


class Target(Protocol):
    """Whatever answers requests. ``url`` is its base URL, ``concurrent`` whether sending in parallel pays."""

    url: str
    concurrent: bool

    def send(self, request: Request) -> Reply | Unanswered:
        """Send one request and wait for the answer."""
        ...


class HttpTarget:
    """A deployment at a base URL. Keep-alive, TLS verified, ``Retry-After`` honoured, retries bounded."""

    concurrent = True

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 10.0,
        connections: int = 12,
        patience: float = 30.0,
        retries: int = 3,
    ) -> None:
        """``timeout`` is in seconds per request; ``patience`` bounds one wait for ``Retry-After``."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise TargetError(f"{url!r} is not the base URL of an API; give one like https://host/api/v1")
        self.url = url.rstrip("/")
        self._retry = urllib3.Retry(
            total=retries * 4,
            connect=retries,
            read=retries,
            status=retries * 3,
            redirect=False,
            status_forcelist=RETRIED_STATUSES,
            allowed_methods=None,
            backoff_factor=0.1,
            backoff_max=2.0,
            raise_on_status=False,
            retry_after_max=int(patience),
        )
        limits = urllib3.Timeout(connect=min(timeout, 5.0), read=timeout)
        self._pool = urllib3.PoolManager(maxsize=connections, block=True, timeout=limits)

    def send(self, request: Request) -> Reply | Unanswered:
        """Send one request; a 429 or 503 is tried again, a dropped connection too, both within bounds."""
        headers = urllib3.HTTPHeaderDict({"User-Agent": USER_AGENT})
        headers.extend(request.headers)
        started = time.perf_counter()
        try:
            answer = self._pool.request(
                request.method, self.url + request.path, body=request.body, headers=headers,
                retries=self._retry, redirect=False,
            )  # fmt: skip
        except (urllib3.exceptions.HTTPError, UnicodeEncodeError) as error:
            return Unanswered(_reason(error), time.perf_counter() - started)
        history = answer.retries.history if answer.retries else ()
        return Reply(
            answer.status,
            tuple(answer.headers.items()),
            answer.data,
            time.perf_counter() - started,
            any(entry.error is not None and entry.status is None for entry in history),
        )


def open_target(name: str, *, timeout: float = 10.0, connections: int = 12) -> Target:
    """Return the target of a base URL or of ``wsgi:module:factory``; TargetError says what is wrong."""
    if not name.startswith("wsgi:"):
        return HttpTarget(name, timeout=timeout, connections=connections)
    _, _, place = name.partition(":")
    module, _, attribute = place.partition(":")
    try:
        app = getattr(importlib.import_module(module), attribute)()
    except Exception as error:  # whatever a foreign module raises while it is set up
        reason = f"{type(error).__name__}: {error}"
        raise TargetError(
            f"{name}: {reason}; give wsgi:module:factory, a callable that returns a WSGI app"
        ) from None
    from contract_tests.targets.wsgi import WsgiTarget  # imports Werkzeug, which a run over HTTP does without

    return WsgiTarget(app)


def quoted(text: str) -> str:
    """Return the text as one path segment."""
    return quote(text, safe="")


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return "the host name cannot be resolved"
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return "the connection was refused"
    if isinstance(cause, urllib3.exceptions.ReadTimeoutError | urllib3.exceptions.ConnectTimeoutError):
        return "no answer in time"
    if isinstance(cause, urllib3.exceptions.SSLError):
        return f"TLS failed: {cause}"
    return "the connection was dropped" if isinstance(cause, urllib3.exceptions.ProtocolError) else str(cause)
