"""The sender notices that the target accepts a token, or anything at all, no longer."""

import itertools
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import pytest

from contract_tests.cases.model import Layer
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.results.verdict import Report
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.base import NoResponse, Request, Response
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.gate import judge_app, rules_with, spec

Environ = dict[str, Any]
Refuses = Callable[[int, Environ], bool]


def refuse_some(refuses: Refuses, status: int) -> Callable[..., Iterable[bytes]]:
    """Return a mock that answers some requests, chosen by number and environ, with one status."""
    app, numbers = create_app(), itertools.count(1)

    def answer(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        if refuses(next(numbers), environ):
            start(f"{status} {HTTPStatus(status).phrase}", [])
            return [b""]
        response: Iterable[bytes] = app(environ, start)
        return response

    return answer


def is_sent(method: str, kind: str = "") -> Callable[[Environ], bool]:
    """Return whether a request has a method and a token of a kind."""
    return lambda environ: (
        environ["REQUEST_METHOD"] == method
        and f"Bearer {kind}" in environ.get("HTTP_AUTHORIZATION", "Bearer ")
    )


@pytest.mark.parametrize("status", [401, 403, 404, 502, 504])
def test_a_run_ends_once_every_request_is_refused(status: int) -> None:
    """It ends with 3 and a sentence, and no rule is called violated."""
    report = judge_app(refuse_some(lambda number, _: number > 50, status), layers=("cases", "wire"))
    assert report.exit_code == 3
    assert [row.rule.id for row in report.verdicts if row.verdict == "violated"] == []
    word = (
        "stopped accepting the token of" if status == 401 else f"answers every request with {status} by now"
    )
    assert word in report.cut_short


@pytest.mark.parametrize("status", [401, 403])
def test_a_run_ends_once_one_token_is_refused(status: int) -> None:
    """It ends with 3 and the name of the caller, though other callers are accepted still."""

    def refuses(number: int, environ: Environ) -> bool:
        return number > 50 and "Bearer sk-" in environ.get("HTTP_AUTHORIZATION", "")

    report = judge_app(refuse_some(refuses, status), layers=("cases", "wire"))
    assert report.exit_code == 3
    assert [row.rule.id for row in report.verdicts if row.verdict == "violated"] == []
    assert re.search(rf"stopped accepting the token of sk-\w+ \({status}\)", report.cut_short)


@pytest.mark.parametrize(
    ("status", "refuses"),
    [
        (401, lambda number, _: number % 3 == 0),
        (403, lambda number, _: number % 3 == 0),
        (403, lambda _, environ: is_sent("PUT")(environ)),
        (403, lambda _, environ: is_sent("POST", "dk-")(environ)),
        (502, lambda number, _: number % 3 == 0),
        (504, lambda _, environ: is_sent("POST")(environ)),
    ],
    ids=[
        "401-every-third",
        "403-every-third",
        "updates",
        "creates-of-one-kind",
        "502-every-third",
        "504-creates",
    ],
)
@pytest.mark.slow
def test_a_target_that_refuses_some_requests_is_judged(status: int, refuses: Refuses) -> None:
    """From request 51 on it refuses some valid requests: that is a violation, and the run goes to its end."""
    app = refuse_some(lambda number, environ: number > 50 and refuses(number, environ), status)
    report = judge_app(app, layers=("cases", "wire"))
    assert report.exit_code == 1
    assert report.cut_short == ""


@pytest.mark.parametrize("status", [400, 402, 403, 404, 409])
def test_a_run_ends_once_every_create_is_refused(status: int) -> None:
    """A limit of services that is reached in mid-run is told: it violates no rule, and the run ends with 3."""
    app = refuse_some(lambda number, environ: number > 200 and is_sent("POST")(environ), status)
    report = judge_app(app, layers=("cases", "wire"))
    assert report.exit_code == 3
    assert [row.rule.id for row in report.verdicts if row.verdict == "violated"] == []
    told = f"refuses every plain create with {status} by now, as it accepted them before; it may have a limit"
    assert told in report.cut_short


def limit_blue_creates(limit: int) -> Refuses:
    """Return a condition that refuses creates for team blue after so many requests."""
    numbers = itertools.count(1)

    def refuses(_: int, environ: Environ) -> bool:
        token, team = environ.get("HTTP_AUTHORIZATION", ""), environ.get("HTTP_X_TEAM_ID", "")
        is_blue = "sk-blue" in token or ("eyJ" in token and team.startswith("0192f0c0-2222"))
        return is_blue and is_sent("POST")(environ) and next(numbers) > limit

    return refuses


def test_a_run_ends_once_every_create_for_one_team_is_refused() -> None:
    """A limit of services that only one team has reached violates no rule: the run ends with 3 and names a caller."""
    report = judge_app(refuse_some(limit_blue_creates(60), 403), layers=("cases", "wire"))
    assert rules_with(report, "violated") == set()
    assert report.exit_code == 3
    assert re.search(r"every plain create for the team of \S+ with 403 by now", report.cut_short)


class SilentTarget(WsgiTarget):
    """A mock that leaves the requests without a response for which a condition holds."""

    def __init__(self, is_silent: Callable[[Request], bool]) -> None:
        super().__init__(create_app())
        self.silent = 0
        self._is_silent = is_silent

    def send(self, request: Request) -> Response | NoResponse:  # type: ignore[override]
        """Send a request, or wait in vain."""
        if not self._is_silent(request):
            return super().send(request)
        self.silent += 1
        return NoResponse("no response before the timeout", 0.0)


def run_silent(is_silent: Callable[[Request], bool], *layers: Layer) -> tuple[SilentTarget, Report]:
    """Return a target that is silent for some requests, and the report on it."""
    target = SilentTarget(is_silent)
    options = RunOptions(layers=layers)
    return target, Run(open_executor(target, options=ExecutorOptions(spec=spec())), options).execute()


def test_a_target_that_is_slow_for_one_property_is_judged() -> None:
    """Requests in a row without a response do not end the run while an empty update is answered."""
    target, report = run_silent(lambda request: b'"replica_count"' in (request.body or b""), "cases")
    assert (report.cut_short, report.findings) == ("", ())
    assert target.silent > 10
    assert rules_with(report, "inconclusive") >= {"replica-count-range"}
    assert len(rules_with(report, "conforms")) > 40


def test_a_target_that_is_slow_for_most_requests_ends_the_run() -> None:
    """The number of times that an empty update excuses it is limited; the reason says that it responds to some."""
    numbers = itertools.count(1)
    target, report = run_silent(
        lambda request: next(numbers) > 50 and len(request.body or b"") > len("{}"), "cases"
    )
    assert target.silent < 60
    assert "left too many requests without a response, though it responds to plain up" in report.cut_short


def test_a_target_that_is_lost_ends_the_run_after_one_control() -> None:
    """Five requests in a row and an empty update without a response are enough."""
    numbers = itertools.count(1)
    target, report = run_silent(lambda _: next(numbers) > 100, "cases")
    assert (target.silent, report.exit_code) == (6, 3)
    assert report.cut_short == "the target stopped responding: no response before the timeout"
