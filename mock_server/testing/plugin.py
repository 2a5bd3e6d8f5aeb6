"""Fixtures for the tests of a client: `pytest -p mock_server.testing`, or name it in `pytest_plugins`.

`containers_mock` is a live server on a free port, and `containers_mock_app` is its WSGI app. Both are new for each
test. Override `containers_mock_options` to pass arguments to `create_app`. A test that leaves a fault of the script
unused fails, as with `respx` and `pytest-httpx`: it did not test what it was written for.

PYTEST_DONT_REWRITE: this module asserts nothing, so a test may import it before pytest loads it as a plugin.
"""

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client

from mock_server.app.factory import create_app
from mock_server.contract.model import BASE_PATH
from mock_server.contract.suggestions import suggestion_suffix
from mock_server.testing.requests import ReceivedRequests, RequestCount
from mock_server.validation import callers as directory
from mock_server.validation.callers import CREDENTIAL_KINDS, CallerDirectory

#: Tracebacks of failing tests leave the frames of this module out.
__tracebackhide__ = True
#: The ini option; `-o containers_mock_assert_all_faults_used=false` turns it off for one run.
ASSERT_ALL_FAULTS_USED = "containers_mock_assert_all_faults_used"


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Print nothing, since the journal has the requests."""


def _describe_unknown(name: object, known: Iterable[str]) -> str:
    names = list(known)
    return f"got {name!r}, expected one of {', '.join(names)}{suggestion_suffix(str(name), names)}"


class _ByName(dict[str, str]):
    """Values by name; the error of an unknown name has the known ones."""

    def __missing__(self, name: str) -> str:
        raise KeyError(_describe_unknown(name, self))


class ContainersMock:
    """A live mock at `url`, which ends in /api/v1: its services, the requests received, and faults to inject."""

    def __init__(self, app: Any, origin: str, callers: CallerDirectory) -> None:
        self.app = app
        self.origin = origin
        self.url = origin + BASE_PATH
        self.tokens: Mapping[str, str] = _ByName(
            (caller.name, token) for token, caller in callers.callers.items()
        )
        self.teams: Mapping[str, str] = _ByName(callers.teams)
        self._callers = callers.callers
        credential = next((c for c in callers.callers.values() if c.kind in CREDENTIAL_KINDS), None)
        default_caller = credential or next(iter(callers.callers.values()))
        self.token = self.tokens[default_caller.name]
        self.team_id = default_caller.teams[0]
        self.requests = ReceivedRequests(
            lambda: self._control("GET", "journal")["requests"],
            self._check_filters,
        )

    def __repr__(self) -> str:
        return f"<ContainersMock at {self.url}>"

    def headers(self, caller: str | None = None, team: str | None = None) -> dict[str, str]:
        """Return the headers that a caller needs: Authorization, and for a JWT caller X-Team-ID, its first team.

        The default is the caller of `token`. `team` is the label of another team for X-Team-ID.
        """
        if team is not None and team not in self.teams:
            raise ValueError(f"team: {_describe_unknown(team, self.teams)}")
        if caller is not None and caller not in self.tokens:
            raise ValueError(f"caller: {_describe_unknown(caller, self.tokens)}")
        token = self.tokens[caller] if caller else self.token
        known = self._callers[token]
        named = self.teams[team] if team else known.teams[0] if known.kind == "jwt" else None
        return {"Authorization": f"Bearer {token}", **({"X-Team-ID": named} if named else {})}

    @property
    def services(self) -> list[dict[str, Any]]:
        """Return the stored services, oldest first."""
        stored: list[dict[str, Any]] = self._control("GET", "services")["services"]
        return stored

    def seed(self, **service: Any) -> dict[str, Any]:
        """Store a service: the properties of a create, and optionally `team`, `status` and `id`."""
        return self._control("POST", "services", service)

    def set_status(self, service_id: str, status: str) -> dict[str, Any]:
        """Set the status of a service; it stays until the next change."""
        return self._control("PUT", f"services/{service_id}/status", {"status": status})

    def deploy(self, service_id: str, seconds: float = 0, *, ends: str = "running") -> dict[str, Any]:
        """Start a deploy that takes `seconds` of the clock, and ends as `running` or `failed`."""
        return self._control("POST", f"services/{service_id}/deploy", {"seconds": seconds, "ends": ends})

    def stop(self, service_id: str, seconds: float = 0) -> dict[str, Any]:
        """Start a stop that takes `seconds` of the clock."""
        return self._control("POST", f"services/{service_id}/stop", {"seconds": seconds})

    def advance(self, seconds: float) -> None:
        """Advance the clock."""
        self._control("POST", "clock", {"advance": seconds})

    def fail_next(self, status: int | None = None, **step: Any) -> None:
        """Answer the next request with this status (503 by default), and with `body`, `headers` and `delay` if given.

        With `rule`, the response is the refusal of that rule, and `status` is the rule's unless it is given. `times`,
        `operation`, `caller` and `slug` select the requests, here and in the methods below.
        """
        if isinstance(status, str):
            raise TypeError(
                f"status: got {status!r}, expected a number; for the refusal of a rule, rule={status!r}"
            )
        if status is None and "rule" not in step:
            status = 503
        self.script(**({} if status is None else {"status": status}), **step)

    def delay_next(self, seconds: float, **step: Any) -> None:
        """Carry out the next request at once, and delay its response."""
        self.script(delay=seconds, **step)

    def drop_next(self, when: str = "before", **step: Any) -> None:
        """Drop the connection of the next request `before` or `after` it is carried out."""
        self.script(drop=when, **step)

    def truncate_next(self, keep: int | None = None, **step: Any) -> None:
        """Send `keep` bytes of the next response body, or half of it, and drop the connection."""
        self.script(truncate=True if keep is None else keep, **step)

    def script(self, **step: Any) -> None:
        """Append a step to the script, as `POST /_mock/script` does."""
        self._control("POST", "script", step)

    def unused_faults(self) -> list[dict[str, Any]]:
        """Return the steps of the script that no request has used yet."""
        steps = self._control("GET", "script")["steps"]
        return [step for step in steps if step["left"] == step.get("times", 1)]

    def assert_all_faults_used(self) -> None:
        """Raise AssertionError if a step of the script was never used; the message lists these and the requests."""
        lines = self.explain_unused()
        if lines:
            raise AssertionError("\n".join([*lines, "received:", *self.requests.table({})]))

    def explain_unused(self) -> list[str]:
        """Return lines with the steps of the script that no request has used; none if each was used."""
        steps = [
            ", ".join(f"{n}={v!r}" for n, v in step.items() if n != "left") for step in self.unused_faults()
        ]
        noun = "this fault" if len(steps) == 1 else "these faults"
        return [f"no request has used {noun}:", *(f"  {step}" for step in steps)] if steps else []

    def reset(self) -> None:
        """Delete the services, the requests and the script. The clock keeps its advance."""
        for path in ("services", "journal", "script"):
            self._control("DELETE", path)

    def _check_filters(self, filters: Mapping[str, Any]) -> None:
        """Raise ValueError for an unknown rule, operation, status or caller, so that a typo never counts as zero."""
        caller = filters.get("caller")
        if caller is not None and caller not in self.tokens and not str(caller).startswith("any-"):
            raise ValueError(f"caller: {_describe_unknown(caller, self.tokens)}")
        query = {name: filters[name] for name in ("rule", "status", "operation") if name in filters}
        self._control("GET", f"journal?{urlencode(query)}")

    def _control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        options = {} if body is None else {"json": body}
        response = Client(self.app).open(f"/_mock/{path}", method=method, **options)
        result: dict[str, Any] = response.get_json()
        if response.status_code >= 400:
            raise ValueError(result["detail"])
        return result


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve the app in a thread, and return its origin."""
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
    """Return arguments for `create_app`; override it in a module, a class or a conftest.py."""
    return {}


@pytest.fixture
def containers_mock_directory(containers_mock_options: dict[str, Any]) -> CallerDirectory:
    """Return the callers that the mock knows."""
    callers = containers_mock_options.get("callers")
    if isinstance(callers, CallerDirectory):
        return callers
    source = Path(callers) if isinstance(callers, str) else callers
    return directory.load_callers(source, any_token=bool(containers_mock_options.get("any_token")))


@pytest.fixture
def containers_mock_app(
    containers_mock_options: dict[str, Any], containers_mock_directory: CallerDirectory
) -> Any:
    """Return the mock as a WSGI app, without a port."""
    return create_app(**{**containers_mock_options, "callers": containers_mock_directory})


@pytest.fixture
def containers_mock(
    containers_mock_app: Any, containers_mock_directory: CallerDirectory
) -> Iterator[ContainersMock]:
    """Return the mock as a live server on a free port."""
    with serving(containers_mock_app) as origin:
        yield ContainersMock(containers_mock_app, origin, containers_mock_directory)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini option that fails a test with unused faults."""
    text = "fail a test that leaves a fault of containers_mock unused (default: true)"
    parser.addini(ASSERT_ALL_FAULTS_USED, text, type="bool", default=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test that passed, but left a fault of its mock unused."""
    __tracebackhide__ = False  # pytest remarks on a traceback whose entries are all hidden
    yield
    mock = getattr(item, "funcargs", {}).get("containers_mock")
    if isinstance(mock, ContainersMock) and item.config.getini(ASSERT_ALL_FAULTS_USED):
        problem = ""
        try:
            mock.assert_all_faults_used()
        except AssertionError as error:
            problem = str(error)
        if problem:
            pytest.fail(problem, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the requests that a failed test sent, why they were refused, and which faults none of them used."""
    report = yield
    mock = getattr(item, "funcargs", {}).get("containers_mock")
    if report.when == "call" and report.failed and isinstance(mock, ContainersMock):
        text = report.longreprtext
        if mock.requests and "received:" not in text:
            report.sections.append(("Requests to containers_mock", "\n".join(mock.requests.explain())))
        unused = mock.explain_unused()
        if unused and unused[0] not in text:
            report.sections.append(("Unused faults of containers_mock", "\n".join(unused)))
    return report


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """List the requests received when the comparison of a count fails."""
    count = next((side for side in (left, right) if isinstance(side, RequestCount)), None)
    return None if count is None else [f"{left!r} {op} {right!r}", *count.explain()]
