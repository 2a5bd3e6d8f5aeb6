"""Request, response and target: the values and the protocol that every kind of target shares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeGuard
from urllib.parse import quote

from contract_tests.contract.resources import VERSION
from contract_tests.targets.clock import RunClock

#: The target is too busy: the response proves nothing, and the request may be sent again.
BUSY_STATUSES = (429, 503)
#: The only one of them after which the request was surely not carried out.
RATE_LIMITED = 429
#: The longest ``Retry-After`` that is obeyed, in seconds.
MAX_RETRY_AFTER = 30
#: A longer response body is cut: no response of this API is nearly as long.
MAX_RESPONSE_BYTES = 4 * 1024 * 1024
USER_AGENT = f"cyberun-contract-kit/{VERSION}"


class TargetError(ValueError):
    """A target that cannot be used; the message is one line that says how to fix it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``path`` is relative to the base URL and already quoted."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """One response, received after ``seconds``; ``resent`` marks one sent again that may have been carried out."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float
    resent: bool = False


@dataclass(frozen=True, slots=True)
class NoResponse:
    """A failed connection or a timeout; ``reason`` describes it in words."""

    reason: str
    seconds: float


class Target(Protocol):
    """Anything that answers requests; ``concurrent`` is true where sending in parallel is faster.

    ``name`` names it in messages: a URL, or an app in this process. ``clock`` ends its waits. A
    response may take ``timeout`` seconds.
    """

    name: str
    url: str
    concurrent: bool
    clock: RunClock
    timeout: float

    def send(self, request: Request) -> Response | NoResponse:
        """Send one request and wait for the response; raise RunStopped if the run ends before."""
        ...

    def reconnect(self) -> None:
        """Send what follows over new connections: another instance behind the same address may get it."""
        ...

    def open_host(self) -> "Target":
        """Return a target for the paths of the same host, which are not those of the contract."""
        ...


def is_success(response: Response | NoResponse) -> TypeGuard[Response]:
    """Return whether a response has a status of 2xx."""
    return isinstance(response, Response) and 200 <= response.status < 300


def quote_segment(text: str) -> str:
    """Return the text quoted as one path segment."""
    return quote(text, safe="")


def tell_error(error: BaseException, tell: Callable[[BaseException], str]) -> str:
    """Return an error of foreign code as text; its class decides how, and may raise anything itself."""
    try:
        return tell(error)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return f"{type(error).__name__}, which has no text"
