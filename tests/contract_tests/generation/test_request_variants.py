"""Calls put together of others, and traces walked at random: what a long run sends beside bodies."""

import json
from collections import Counter
from functools import cache
from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.cases.tables import load_bodies, load_fixture_cases
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.shrink import shrink_observation
from contract_tests.generation.body_mutation import ValuePool
from contract_tests.generation.oracle import CREDENTIAL_PROPERTY
from contract_tests.generation.request_variants import vary_requests
from contract_tests.generation.rounds import Round
from contract_tests.generation.scenario_types import ScenarioCapabilities
from contract_tests.generation.state_machine import walk_scenarios
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.quality.faults import FAULTS
from tests.support.gate.gate import MOCK_HOOK, violated
from tests.support.gate.planting import Request, Response, Send, twisted

SPEC = load_spec()
TABLES = [case for case in load_fixture_cases(load_catalogue()) if case.layer == "wire"]
ON = ScenarioCapabilities(("dk-red", "jwt-red", "sk-red", "sk-blue"), readback=True, hook=True)


@cache
def round_bodies() -> list[Case]:
    """The bodies of a round."""
    return Round(3, 0, mutated=400).build_cases(SPEC, lambda: ValuePool(SPEC, load_bodies()))


def calls(number: int, seed: int = 1) -> list[Case]:
    """Some calls."""
    return list(vary_requests(TABLES, round_bodies(), number, seed))


def test_a_seed_makes_the_same_calls() -> None:
    """The same seed makes the same calls, another one makes others."""
    assert calls(200) == calls(200)
    assert {str(case.steps) for case in calls(200)} != {str(case.steps) for case in calls(200, seed=2)}


def test_no_twist_comes_again_before_all_have_come() -> None:
    """Every caller, header and text of the tables is tried before one is tried again, and each name is its own."""
    twists = [(case.id.rsplit("-", 2)[0], case.operation) for case in calls(400)]
    once = set(twists)
    assert len(once) > 60
    assert set(twists[: len(once)]) == once
    assert len({case.id for case in calls(400)}) == 400


def test_the_body_is_sent_as_it_is_first() -> None:
    """The first request must be accepted, and the second differs from it in the caller, headers or text alone."""
    alone = {case.rule for case in calls(300) if len(case.steps) == 1}
    assert alone == {"auth-agent"}, "whoever may call sends no other request first"
    for case in calls(300):
        first, second = case.steps if len(case.steps) == 2 else case.steps * 2
        assert first.expect == "accept"
        assert not first.headers
        assert first.raw is None
        assert (first.body, first.operation, first.service) == (second.body, second.operation, second.service)
        assert second.expect in ("accept", "refuse")
        assert second.raw is None or second.expect == "refuse"


def test_texts_are_malformed() -> None:
    """What is called body-json is no JSON; what is called body-keys or body-object is, with one fault."""
    texts = {(case.rule, case.steps[-1].raw) for case in calls(400) if case.steps[-1].raw is not None}
    assert {rule for rule, _ in texts} == {"body-json", "body-keys", "body-object"}
    for rule, text in texts:
        if rule == "body-json":
            with pytest.raises(ValueError):  # noqa: PT011 - any is right
                json.loads(text, parse_constant=_refused)
        else:
            value = json.loads(text)
            assert isinstance(value, list) == (rule == "body-object")


def _refused(constant: str) -> None:
    raise ValueError(constant)


def test_walks_go_where_much_can_go_wrong() -> None:
    """A seed walks the same traces again; each is as long as asked for, and about half of the steps are updates."""
    assert walk_scenarios(ON, 5, 40, 10) == walk_scenarios(ON, 5, 40, 10) != walk_scenarios(ON, 6, 40, 10)
    moves = [move for plan in walk_scenarios(ON, 5, 40, 10) for move in plan]
    often = Counter(move.step.operation for move in moves)
    assert len(moves) == 400
    assert 120 < often["updateContainer"] < 240
    assert min(often.values()) > 10
    assert len(often) == 4
    assert {move.step.expect for move in moves} == {"accept", "refuse", "open"}


def test_walks_do_what_can_be_done() -> None:
    """Without a hook no trace sets a status, without a read-back none reads."""
    plain = ScenarioCapabilities(ON.roles, readback=False, hook=False)
    steps = {move.step.operation for plan in walk_scenarios(plain, 5, 40, 10) for move in plan}
    assert steps == {"createContainer", "updateContainer"}


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("empty-token-taken", "auth-bearer"),
        ("sk-other-team-refused", "team-ignored-for-credentials"),
        ("form-taken-on-create", "body-media-type"),
        ("array-of-one-taken-on-create", "body-object"),
        ("no-update-while-running", "not-while-busy"),
    ],
)
def test_a_long_run_finds_more_than_faults_of_bodies(name: str, rule: str) -> None:
    """Generated requests alone find what is wrong with callers, headers, texts and states, and nothing else."""
    fault = next(fault for fault in FAULTS if fault.name == name)
    player = open_executor(WsgiTarget(fault.app()), options=ExecutorOptions(control_hook=MOCK_HOOK))
    report = Run(player, RunOptions(layers=("properties",), max_examples=250)).execute()
    assert violated(report) == {rule}


def with_other_faults(request: Request, send: Send) -> Response:
    """Of a service that is not running an empty update is refused, and any other answered with no id."""
    response = send(request)
    if request.operation != "update" or not response.accepted:
        return response
    return Response(200 if request.value else 400)


RUNNING = next(fault for fault in FAULTS if fault.name == "no-update-while-running")
NULL = "external-credential-null-accepted"


@pytest.mark.parametrize(
    ("app", "body", "rule", "statuses"),
    [
        (create_app(without={NULL}), {CREDENTIAL_PROPERTY: None}, NULL, []),
        (RUNNING.app(), {CREDENTIAL_PROPERTY: None}, "not-while-busy", ["running"]),
        (twisted(RUNNING.app(), with_other_faults), {"display_name": "d"}, "not-while-busy", ["running"]),
        (twisted(RUNNING.app(), with_other_faults), {}, "not-while-busy", ["running"]),
    ],
)
def test_a_status_is_blamed_where_it_makes_the_difference(
    app: Any, body: dict[str, Any], rule: str, statuses: list[str]
) -> None:
    """A trace whose update is refused of a new service in the same way is about what the update says."""
    steps = (
        Step(body=load_bodies()["external"], slug="a"),
        Step("setStatus", status="running"),
        Step("updateContainer", body=body, expect="accept"),
    )
    player = open_executor(WsgiTarget(app), options=ExecutorOptions(control_hook=MOCK_HOOK))
    found = shrink_observation(player, player.run_case(Case("trace", "not-while-busy", "lifecycle", steps)))
    assert (found.judgement.outcome, found.judgement.rule) == ("violated", rule)
    assert [step.status for step in found.case.steps if step.status] == statuses


def test_a_call_is_made_smaller() -> None:
    """What is told of a call has no request before it, and of its body only what an accepted one needs."""
    fault = next(fault for fault in FAULTS if fault.name == "empty-token-taken")
    player = open_executor(WsgiTarget(fault.app()))
    report = Run(player, RunOptions(layers=("properties",), max_examples=250)).execute()
    told = [finding.case.steps for finding in report.findings if finding.rule.id == "auth-bearer"]
    assert told
    assert all(len(steps) == 1 and len(steps[0].body) <= 3 for steps in told), told


@pytest.mark.parametrize("refuse_only", [True, False])
def test_a_part_of_a_long_run_keeps_to_it(*, refuse_only: bool) -> None:
    """Of one rule only its calls are played; where nothing may be created, nothing is."""
    app = create_app()
    player = open_executor(WsgiTarget(app), options=ExecutorOptions(refuse_only=refuse_only))
    rules = None if refuse_only else frozenset({"auth-required"})
    options = RunOptions(layers=("properties",), max_examples=100, rules=rules, refuse_only=refuse_only)
    report = Run(player, options).execute()
    assert violated(report) == set()
    seen = {row.rule.id for row in report.verdicts if row.verdict == "conforms"}
    if refuse_only:
        assert app.test_client().get("/_mock/services").json["count"] == 0
        assert "auth-required" not in seen
    else:
        assert seen == {"auth-required"}
