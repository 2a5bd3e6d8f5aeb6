"""Calls put together of others, and traces walked at random: what a long run sends beside bodies."""

import json
from functools import cache

import pytest

from contract_tests.cases.model import Case
from contract_tests.cases.tables import load_bodies, load_fixture_cases
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.generation.body_mutation import ValuePool
from contract_tests.generation.request_variants import vary_requests
from contract_tests.generation.rounds import Round
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.quality.faults import FAULTS
from tests.support.gate.gate import MOCK_HOOK, violated_rules

SPEC = load_spec()
TABLES = [case for case in load_fixture_cases(load_catalogue()) if case.layer == "wire"]


@cache
def build_round_bodies() -> list[Case]:
    """The bodies of a round."""
    return Round(3, 0, mutated=400).build_cases(SPEC, lambda: ValuePool(SPEC, load_bodies()))


def build_variants(number: int, seed: int = 1) -> list[Case]:
    """Some calls."""
    return list(vary_requests(TABLES, build_round_bodies(), number, seed))


def test_a_seed_makes_the_same_calls() -> None:
    """The same seed makes the same calls, another one makes others."""
    assert build_variants(200) == build_variants(200)
    assert {str(case.steps) for case in build_variants(200)} != {
        str(case.steps) for case in build_variants(200, seed=2)
    }


def test_no_twist_comes_again_before_all_have_come() -> None:
    """Every caller, header and text of the tables is tried before one is tried again, and each name is its own."""
    twists = [(case.id.rsplit("-", 2)[0], case.operation) for case in build_variants(400)]
    once = set(twists)
    assert len(once) > 60
    assert set(twists[: len(once)]) == once
    assert len({case.id for case in build_variants(400)}) == 400


def test_the_body_is_sent_as_it_is_first() -> None:
    """The first request must be accepted, and the second differs from it in the caller, headers or text alone."""
    alone = {case.rule for case in build_variants(300) if len(case.steps) == 1}
    assert alone == {"auth-agent"}, "whoever may call sends no other request first"
    for case in build_variants(300):
        first, second = case.steps if len(case.steps) == 2 else case.steps * 2
        assert first.expect == "accept"
        assert not first.headers
        assert first.raw is None
        assert (first.body, first.operation, first.service) == (second.body, second.operation, second.service)
        assert second.expect in ("accept", "refuse")
        assert second.raw is None or second.expect == "refuse"


def test_texts_are_malformed() -> None:
    """What is called body-json is no JSON; what is called body-keys or body-object is, with one fault."""
    texts = {
        (case.rule, case.steps[-1].raw) for case in build_variants(400) if case.steps[-1].raw is not None
    }
    assert {rule for rule, _ in texts} == {"body-json", "body-keys", "body-object"}
    for rule, text in texts:
        if rule == "body-json":
            with pytest.raises(ValueError):  # noqa: PT011 - any is right
                json.loads(text, parse_constant=_refuse_constant)
        else:
            value = json.loads(text)
            assert isinstance(value, list) == (rule == "body-object")


def _refuse_constant(constant: str) -> None:
    raise ValueError(constant)


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
    assert violated_rules(report) == {rule}


@pytest.mark.parametrize("refuse_only", [True, False])
def test_a_part_of_a_long_run_keeps_to_it(*, refuse_only: bool) -> None:
    """Of one rule only its calls are played; where nothing may be created, nothing is."""
    app = create_app()
    player = open_executor(WsgiTarget(app), options=ExecutorOptions(refuse_only=refuse_only))
    rules = None if refuse_only else frozenset({"auth-required"})
    options = RunOptions(layers=("properties",), max_examples=100, rules=rules, refuse_only=refuse_only)
    report = Run(player, options).execute()
    assert violated_rules(report) == set()
    seen = {row.rule.id for row in report.verdicts if row.verdict == "conforms"}
    if refuse_only:
        assert app.test_client().get("/_mock/services").json["count"] == 0
        assert "auth-required" not in seen
    else:
        assert seen == {"auth-required"}
