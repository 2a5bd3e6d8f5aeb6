"""Fixtures for the tests of a client: `pytest -p mock_server.testing`, or name it in `pytest_plugins`.

`containers_mock` is a live server on a port of its own, `containers_mock_app` the same app without a port;
both are new for each test. Override `containers_mock_options` to pass arguments to `create_app`.

PYTEST_DONT_REWRITE: nothing is asserted here, and so a test may import ContainersMock before it names the plugin.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client

from mock_server.app.factory import create_app
from mock_server.contract.model import BASE_PATH
from mock_server.testing.requests import ReceivedRequests, RequestCount
from mock_server.validation import callers as directory
from mock_server.validation.callers import CREDENTIAL_KINDS, CallerDirectory


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Says nothing: the requests are in the journal."""


class ContainersMock:
    """A mock that serves at `url` (which ends in /api/v1): what it holds, what it received, what comes next."""

    def __init__(self, app: Any, origin: str, known: CallerDirectory) -> None:
        self.app = app
        self.origin = origin
        self.url = origin + BASE_PATH
        self.tokens: Mapping[str, str] = {caller.name: token for token, caller in known.callers.items()}
        self.teams: Mapping[str, str] = dict(known.teams)
        first = next((c for c in known.callers.values() if c.kind in CREDENTIAL_KINDS), None)
        chosen = first or next(iter(known.callers.values()))
        self.token = self.tokens[chosen.name]
        self.team_id = chosen.teams[0]
        self.requests = ReceivedRequests(
            lambda: self._control("GET", "journal")["requests"],
            self._check,
        )

    def __repr__(self) -> str:
        return f"<ContainersMock at {self.url}>"

    def headers(self, caller: str | None = None) -> dict[str, str]:
        """The Authorization header of a caller, that of `token` unless another is named."""
        if caller is not None and caller not in self.tokens:
            raise ValueError(f"caller: got {caller!r}, expected one of {', '.join(self.tokens)}")
        return {"Authorization": f"Bearer {self.tokens[caller] if caller else self.token}"}

    @property
    def services(self) -> list[dict[str, Any]]:
        """The services that are stored, oldest first."""
        stored: list[dict[str, Any]] = self._control("GET", "services")["services"]
        return stored

    def seed(self, **service: Any) -> dict[str, Any]:
        """Stores a service: the properties of a create, and `team`, `status`, `id`."""
        return self._control("POST", "services", service)

    def set_status(self, service_id: str, status: str) -> dict[str, Any]:
        """Puts a service into a status, in which it stays."""
        return self._control("PUT", f"services/{service_id}/status", {"status": status})

    def deploy(self, service_id: str, seconds: float = 0, *, ends: str = "running") -> dict[str, Any]:
        """Deploys a service, for so many seconds of the clock."""
        return self._control("POST", f"services/{service_id}/deploy", {"seconds": seconds, "ends": ends})

    def stop(self, service_id: str, seconds: float = 0) -> dict[str, Any]:
        """Stops a service, for so many seconds of the clock."""
        return self._control("POST", f"services/{service_id}/stop", {"seconds": seconds})

    def advance(self, seconds: float) -> None:
        """Turns the clock forward."""
        self._control("POST", "clock", {"advance": seconds})

    def fail_next(self, status: int = 503, **step: Any) -> None:
        """The next call (`times`, `operation`, `caller`, `slug`) is answered so (`body`, `headers`, `delay`)."""
        self.script(status=status, **step)

    def delay_next(self, seconds: float, **step: Any) -> None:
        """The next call is carried out at once and answered after so many seconds."""
        self.script(delay=seconds, **step)

    def drop_next(self, when: str = "before", **step: Any) -> None:
        """The connection of the next call is lost `before` it is carried out, or `after`."""
        self.script(drop=when, **step)

    def truncate_next(self, keep: int | None = None, **step: Any) -> None:
        """Of the body of the next answer so many bytes are sent, or half of it; then the connection is lost."""
        self.script(truncate=True if keep is None else keep, **step)

    def script(self, **step: Any) -> None:
        """Appends a step to the script, as `POST /_mock/script` does."""
        self._control("POST", "script", step)

    def reset(self) -> None:
        """Forgets the services, the requests and the script. The clock goes on."""
        for path in ("services", "journal", "script"):
            self._control("DELETE", path)

    def _check(self, filters: Mapping[str, Any]) -> None:
        """Raises ValueError where a filter of the requests names a rule, operation, status or caller that is none."""
        caller = filters.get("caller")
        if caller is not None and caller not in self.tokens and not str(caller).startswith("any-"):
            raise ValueError(f"caller: got {caller!r}, expected one of {', '.join(self.tokens)}")
        asked = {name: filters[name] for name in ("rule", "status", "operation") if name in filters}
        self._control("GET", f"journal?{urlencode(asked)}")

    def _control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        sent = {} if body is None else {"json": body}
        response = Client(self.app).open(f"/_mock/{path}", method=method, **sent)
        answered: dict[str, Any] = response.get_json()
        if response.status_code >= 400:
            raise ValueError(answered["detail"])
        return answered


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The origin at which a thread serves the app."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def containers_mock_options() -> dict[str, Any]:
    """Arguments of `create_app`; override it in a module, a class or a conftest.py."""
    return {}


@pytest.fixture
def containers_mock_directory(containers_mock_options: dict[str, Any]) -> CallerDirectory:
    """The callers that the mock knows."""
    callers = containers_mock_options.get("callers")
    if isinstance(callers, CallerDirectory):
        return callers
    source = Path(callers) if isinstance(callers, str) else callers
    return directory.load_callers(source, any_token=bool(containers_mock_options.get("any_token")))


@pytest.fixture
def containers_mock_app(
    containers_mock_options: dict[str, Any], containers_mock_directory: CallerDirectory
) -> Any:
    """The mock as a WSGI app, without a port."""
    return create_app(**{**containers_mock_options, "callers": containers_mock_directory})


@pytest.fixture
def containers_mock(
    containers_mock_app: Any, containers_mock_directory: CallerDirectory
) -> Iterator[ContainersMock]:
    """The mock as a live server on a port of its own."""
    with serving(containers_mock_app) as origin:
        yield ContainersMock(containers_mock_app, origin, containers_mock_directory)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """A count that is not the one expected shows the requests that were received."""
    count = next((side for side in (left, right) if isinstance(side, RequestCount)), None)
    return None if count is None else [f"{left!r} {op} {right!r}", *count.explain()]
