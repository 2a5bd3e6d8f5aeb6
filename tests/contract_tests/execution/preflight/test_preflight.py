"""Preflight: a target that refuses the simplest create, or some callers, is judged all the same, and told so."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from threading import Barrier
from uuid import uuid4

import pytest

from contract_tests.cases.callers import Caller
from contract_tests.cases.model import case_from_json, case_to_json
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.preflight.plain_creates import CannotJudge
from contract_tests.execution.preflight.run import apply_preflight, run_preflight
from contract_tests.execution.sending.create_forms import PLAIN
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.execution.workers import Workers
from contract_tests.results.verdict import Report
from contract_tests.targets.base import NoResponse
from contract_tests.targets.base import Request as HttpRequest
from contract_tests.targets.base import Response as HttpResponse
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.gate import describe_findings, judge_app, open_app_executor, violated_rules
from tests.support.gate.messages import (
    REFUSED,
    Interceptor,
    Request,
    Response,
    Send,
)
from tests.support.gate.planting import add_interceptor
from tests.support.reports import load_fixture_callers

REFUSED_403 = Response(403)


def judge(intercept: Interceptor) -> Report:
    """Return the report on a mock behind an interceptor."""
    return judge_app(add_interceptor(create_app(), intercept))


def refuse_creates(when: Callable[[Request], bool]) -> Interceptor:
    """Refuse the creates for which the condition holds."""
    return lambda request, send: REFUSED if request.operation == "create" and when(request) else send(request)


def _has_slug_last(request: Request) -> bool:
    keys = [key for key, _ in json.loads(request.raw, object_pairs_hook=list)] if request.body else []
    return bool(keys) and keys[-1] == "service_slug"


def _is_deployed(request: Request) -> bool:
    return bool(request.body) and request.body.get("service_type", "deployed") == "deployed"


FORMS: dict[str, tuple[str, Callable[[Request], bool]]] = {
    "explicit-type": ("service-type-default", lambda r: _is_deployed(r) and "service_type" not in r.body),
    "key-order": ("request-forms", _has_slug_last),
    "accept-header": ("request-forms", lambda r: r.header("Accept") is None),
    "port-needed": ("exposed-port-default", lambda r: _is_deployed(r) and "exposed_port" not in r.body),
    "port-needed-by-both-types": (
        "exposed-port-default",
        lambda r: bool(r.body) and "exposed_port" not in r.body,
    ),
    "labels-needed-by-both-types": (
        "required-labels-type",
        lambda r: bool(r.body) and "required_labels" not in r.body,
    ),
    "no-hyphens": ("service-slug-pattern", lambda r: bool(r.body) and "-" in str(r.body.get("service_slug"))),
    "prompt-needed": ("usage-prompt-type", lambda r: _is_deployed(r) and "usage_prompt" not in r.body),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.slow
def test_a_target_that_refuses_the_simplest_create_is_judged(name: str) -> None:
    """The run goes on in the form that the target accepts, and blames the rule that allows the plain one."""
    rule, refused = FORMS[name]
    report = judge(refuse_creates(refused))
    assert report.exit_code == 1
    assert violated_rules(report) == {rule}, describe_findings(report)
    assert report.judged >= 70


def first_create(response: Response) -> Interceptor:
    """Answer the first create with a response of its own."""
    seen: list[Request] = []

    def intercept(request: Request, send: Send) -> Response:
        if request.operation == "create" and not seen:
            seen.append(request)
            return response
        return send(request)

    return intercept


@pytest.mark.parametrize(
    "response",
    [Response(500), Response(201, b'{"id": "1"}'), Response(201, b"created")],
    ids=["500", "id", "text"],
)
@pytest.mark.slow
def test_a_wrong_answer_to_the_first_create_is_a_finding(response: Response) -> None:
    """A first create that is answered wrongly is a violation of `created`, and the run goes on."""
    report = judge(first_create(response))
    assert (report.exit_code, violated_rules(report)) == (1, {"created"}), describe_findings(report)


#: How often a target sends a request for which it is too busy.
TRIES = 10


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("busy", [1, 2, 4, 100])
def test_a_busy_target_is_no_finding(status: int, busy: int) -> None:
    """A first create that gets a 429 or a 503 is sent again; a target that stays too busy is not judged."""
    left = iter([Response(status)] * (busy * TRIES))
    app = add_interceptor(create_app(), lambda request, send: next(left, None) or send(request))
    executor = open_app_executor(app)
    if busy > 4:
        with pytest.raises(CannotJudge, match=f"stopped responding: it responds with {status}"):
            run_preflight(executor)
        return
    result = run_preflight(executor)
    assert (result.observations, result.form, bool(result.unusable_callers)) == ((), PLAIN, busy == 4)


def test_a_busy_moment_while_a_form_is_confirmed_is_no_finding() -> None:
    """Where the plain create is neither accepted nor refused again, no rule is blamed."""
    creates = iter([REFUSED, REFUSED, None, *[Response(503)] * (4 * TRIES)])

    def intercept(request: Request, send: Send) -> Response:
        return (request.operation == "create" and next(creates, None)) or send(request)

    with pytest.raises(CannotJudge, match="too busy to be judged"):
        run_preflight(open_app_executor(add_interceptor(create_app(), intercept)))


def test_a_create_that_is_stored_twice_does_not_refuse_its_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """A create that finds its own slug taken, since the first response was lost, is sent with another slug."""
    executor = open_app_executor(create_app())
    send, creates = executor.sender.target.send, count(1)

    def send_again(request: HttpRequest) -> HttpResponse | NoResponse:
        if request.method != "POST" or next(creates) % 3:
            return send(request)
        send(request)
        again = send(request)
        return replace(again, resent=True) if isinstance(again, HttpResponse) else again

    monkeypatch.setattr(executor.sender.target, "send", send_again)
    result = run_preflight(executor)
    assert (result.unusable_callers, result.observations) == ((), ())


def test_a_caller_without_a_response_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where creates by others are accepted, the URL is right: the line names the caller."""
    executor = open_app_executor(create_app())
    send = executor.sender.target.send

    def leave_jwts(request: HttpRequest) -> HttpResponse | NoResponse:
        token = dict(request.headers).get("Authorization", "")
        return NoResponse("no response before the timeout", 0.0) if "eyJ" in token else send(request)

    monkeypatch.setattr(executor.sender.target, "send", leave_jwts)
    with pytest.raises(CannotJudge, match=r"no response before the timeout; .* by jwt-red; leave it out of"):
        run_preflight(executor)


@pytest.mark.parametrize("limit", [0, 1])
def test_one_service_is_too_few_for_a_preflight(limit: int) -> None:
    """Where --max-created leaves the preflight no create, one line says so, and how many are needed; two are."""
    with pytest.raises(CannotJudge, match=r"--max-created is reached.*; give 2 or more"):
        run_preflight(open_app_executor(create_app(), max_created=limit))
    assert run_preflight(open_app_executor(create_app(), max_created=2)).caller_pool.callers


def test_a_resumed_run_names_a_limit_above_what_it_created() -> None:
    """Where earlier parts of a run reached --max-created, the number that the error names counts them."""
    log = CreatedLog()
    log.count = 60
    spent = open_executor(WsgiTarget(create_app()), options=ExecutorOptions(max_created=60), created_log=log)
    with pytest.raises(CannotJudge, match=r"--max-created is reached.*; give 62 or more"):
        run_preflight(spent)
    more = open_executor(WsgiTarget(create_app()), options=ExecutorOptions(max_created=62), created_log=log)
    assert run_preflight(more).caller_pool.callers


def test_a_budget_below_the_preflight_names_a_sufficient_one() -> None:
    """The number that the error names is enough for the preflight."""
    for width, requests in ((1, 1), (4, 1), (4, 6)):
        executor = open_app_executor(create_app(), max_requests=requests)
        with pytest.raises(CannotJudge, match=r"--budget is too small: .*; give 14 or more"):
            run_preflight(executor, Workers(width, executor.sender.target.clock))
    assert run_preflight(open_app_executor(create_app(), max_requests=14)).caller_pool.callers


def test_what_waits_for_no_response_is_sent_at_once() -> None:
    """Over a slow network, the read-back, the create for a second team and the check of the API go together."""
    together = Barrier(3, timeout=10)

    def intercept(request: Request, send: Send) -> Response:
        if (
            request.operation == "read"
            or request.header("Authorization") is None
            or names_second_team(request)
        ):
            together.wait()
        return send(request)

    def names_second_team(request: Request) -> bool:
        return request.kind == "jwt" and request.header("X-Team-ID") == executor.controls.caller_pool.blue

    executor = open_app_executor(add_interceptor(create_app(), intercept))
    assert run_preflight(executor, Workers(3, executor.sender.target.clock)).readback


@pytest.mark.slow
def test_a_redirect_of_the_first_create_does_not_end_the_run() -> None:
    """A target that redirects the first create only is judged by the others."""
    report = judge(first_create(Response(307)))
    assert report.judged >= 80, describe_findings(report)


def test_a_target_that_fails_each_create_cannot_be_judged() -> None:
    """Server errors to every create are called that, and no refusals."""
    with pytest.raises(CannotJudge, match="responds to each create with a server error; sk-red got 500"):
        run_preflight(open_app_executor(add_interceptor(create_app(), lambda *_: Response(500))))


def test_a_target_that_accepts_no_create_cannot_be_judged() -> None:
    """A target that refuses every form by every caller is not judged, and the error says so."""
    with pytest.raises(CannotJudge, match="refuses a valid create by every caller"):
        judge(refuse_creates(lambda _: True))


@pytest.mark.parametrize(
    ("kind", "status", "rules", "unusable", "code"),
    [
        ("jwt", 401, set(), {"jwt-red", "jwt-both"}, 3),
        ("dk", 401, set(), {"dk-red"}, 3),
        ("dk", 403, {"team-optional-for-credentials"}, {"dk-red"}, 1),
        ("jwt", 403, {"team-required-for-jwt"}, {"jwt-red", "jwt-both"}, 1),
        ("sk", 403, set(), set(), 0),
        ("sk", 401, set(), set(), 0),
    ],
)
@pytest.mark.slow
def test_a_caller_that_cannot_be_used_is_part_of_the_verdict(
    kind: str, status: int, rules: set[str], unusable: set[str], code: int
) -> None:
    """A refused JWT or dk- caller changes the verdict; that every sk- key is refused is the deployment's choice."""
    report = judge(lambda request, send: Response(status) if request.kind == kind else send(request))
    named = {text.split()[0] for text in report.unusable_callers}
    assert (violated_rules(report), named, report.exit_code) == (rules, unusable, code), describe_findings(
        report
    )


def use_wrong_teams(*names: str, red: str = "", blue: str = "") -> list[Caller]:
    """Return callers of the fixtures whose entries name other teams than theirs."""
    callers = {caller.name: caller for caller in load_fixture_callers()}
    own = [*callers["sk-red"].teams, *callers["sk-blue"].teams]
    named = dict(zip(own, (red or own[0], blue or own[1]), strict=True))
    return [replace(callers[name], teams=tuple(named[t] for t in callers[name].teams)) for name in names]


@pytest.mark.parametrize("status", [None, 404])
def test_a_wrong_team_in_the_callers_file_is_no_violation(status: int | None) -> None:
    """A JWT that is refused only for the teams it names is not judged; the reason names them."""
    callers = use_wrong_teams("sk-red", "sk-blue", "jwt-red", red=str(uuid4()))

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        return Response(status) if status and response.status == 403 else response

    result = run_preflight(open_app_executor(add_interceptor(create_app(), intercept), callers=callers))
    assert not result.observations
    assert result.unusable_callers == (
        f"jwt-red ({status or 403}: check `teams` of jwt-red in the callers file)",
    )


def test_a_lone_jwt_of_a_wrong_team_may_get_a_404() -> None:
    """A 404 is a good answer to a team of others, so the reason names the teams beside the base URL."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        return Response(404) if response.status == 403 else response

    callers = use_wrong_teams("jwt-red", red=str(uuid4()))
    with pytest.raises(CannotJudge, match="check `teams` of jwt-red in the callers file"):
        run_preflight(open_app_executor(add_interceptor(create_app(), intercept), callers=callers))


def test_a_key_of_the_second_team_is_tried_without_its_team() -> None:
    """Any sk- or dk- caller may omit X-Team-ID (both pages), so the only dk- caller shows it for its own team."""

    def intercept(request: Request, send: Send) -> Response:
        return REFUSED if request.kind == "dk" and request.header("X-Team-ID") is None else send(request)

    callers = use_wrong_teams("sk-blue", "dk-red")  # the teams of the fixtures, in the other order
    rule = "team-optional-for-credentials"
    app = add_interceptor(create_app(), intercept)
    report = judge_app(app, callers=callers, layers=("wire",), rules=frozenset({rule}))
    assert violated_rules(report) == {rule}, describe_findings(report)


def test_a_limit_that_is_reached_is_no_need_for_a_team() -> None:
    """A key that is refused once without its team, and then with it as well, has shown nothing about the team."""
    sent: list[Request] = []

    def intercept(request: Request, send: Send) -> Response:
        if request.operation == "create" and request.kind == "dk":
            sent.append(request)
            return send(request) if len(sent) == 2 else Response(403)
        return send(request)

    callers = use_wrong_teams("sk-blue", "dk-red")
    executor = open_app_executor(add_interceptor(create_app(), intercept), callers=callers)
    assert [one.judgement.rule for one in run_preflight(executor).observations] == []
    assert (sent[1].header("X-Team-ID"), sent[2].header("X-Team-ID")) != (None, None)


def test_a_jwt_is_used_for_the_team_that_takes_it() -> None:
    """Where only the second team of a JWT is wrong, its first one is used, and the verdict names the second."""
    wrong = str(uuid4())
    callers = use_wrong_teams("sk-red", "sk-blue", "jwt-both", blue=wrong)
    result = run_preflight(open_app_executor(create_app(), callers=callers))
    assert [len(caller.teams) for caller in result.caller_pool.callers] == [1, 1, 1]
    assert result.unusable_callers == (
        f"jwt-both for team {wrong} (403: check `teams` of jwt-both in the callers file)",
    )


def test_an_unknown_token_may_get_a_403() -> None:
    """Where an unknown token gets a 403, too, the 403 of a listed caller proves nothing about its rule."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        return Response(403) if response.status == 401 or request.kind == "dk" else response

    result = run_preflight(open_app_executor(add_interceptor(create_app(), intercept)))
    assert not result.observations
    assert result.unusable_callers[0].startswith("dk-red (403: check its token")


@pytest.mark.slow
def test_a_refused_caller_is_sent_again_as_itself() -> None:
    """The finding about a refused JWT caller shows again, by the same caller and with the same headers."""
    app = add_interceptor(create_app(), lambda r, send: REFUSED_403 if r.kind == "jwt" else send(r))
    report = judge_app(app)
    (finding,) = [one for one in report.findings if one.rule.id == "team-required-for-jwt"]
    assert (finding.rate, {one.caller for one in finding.exchanges}) == (None, {"jwt-red"})
    executor = open_app_executor(app)
    apply_preflight(executor, run_preflight(executor))
    again = executor.run_case(case_from_json(case_to_json(finding.case)))
    assert again.judgement.outcome == "violated"
    assert again.exchanges[0].headers == finding.exchanges[0].headers
    assert finding.sibling
    assert finding.sibling.edit == "by sk-red in place of jwt-red"
