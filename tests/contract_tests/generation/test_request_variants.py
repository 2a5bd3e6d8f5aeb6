"""Request variants, which a long run sends beside mutated bodies."""

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
from tests.support.gate.gate import MOCK_HOOK, judge_app, violated_rules
from tests.support.sampling import keep_first

pytestmark = pytest.mark.slow

SPEC = load_spec()
TABLES = [case for case in load_fixture_cases(load_catalogue()) if case.layer == "wire"]


@cache
def build_round_bodies() -> list[Case]:
    """Return the cases of one round of mutated bodies."""
    return Round(3, 0, mutated=400).build_cases(SPEC, lambda: ValuePool(SPEC, load_bodies()))


def build_variants(number: int, seed: int = 1) -> list[Case]:
    """Return some request variants."""
    return list(vary_requests(TABLES, build_round_bodies(), number, seed))


def test_equal_seeds_give_equal_variants() -> None:
    """Equal seeds give equal variants, other seeds give others."""
    assert build_variants(200) == build_variants(200)
    assert {str(case.steps) for case in build_variants(200)} != {
        str(case.steps) for case in build_variants(200, seed=2)
    }


def test_every_variant_comes_before_any_repeats() -> None:
    """Every variant of the tables comes once before any comes again, and each case has its own id."""
    variants = [(case.id.rsplit("-", 2)[0], case.operation) for case in build_variants(400)]
    once = set(variants)
    assert len(once) > 60
    assert set(variants[: len(once)]) == once
    assert len({case.id for case in build_variants(400)}) == 400


def test_body_is_sent_unchanged_first() -> None:
    """The first request must be accepted, and the second differs only in the caller, headers, path or text."""
    alone = {case.rule for case in build_variants(300) if len(case.steps) == 1}
    assert alone == {"auth-agent"}, "a caller that may act sends no other request first"
    for case in build_variants(300):
        first, second = case.steps if len(case.steps) == 2 else case.steps * 2
        assert first.expect == "accept"
        assert not first.headers
        assert first.raw is None
        assert (first.body, first.operation) == (second.body, second.operation)
        assert first.service == second.service or case.rule in ("service-id-format", "service-exists")
        assert second.expect in ("accept", "refuse")
        assert second.raw is None or second.expect == "refuse"


def test_texts_are_malformed() -> None:
    """Texts of body-json are not JSON; those of other rules are JSON with one fault."""
    steps = [(case.rule, case.steps[-1]) for case in build_variants(400)]
    raws = [(rule, step.raw) for rule, step in steps if step.raw is not None]
    texts = {(rule, raw) for rule, raw in raws if isinstance(raw, str)}
    assert {rule for rule, _ in texts} == {"body-json", "body-keys", "body-object", "body-text"}
    assert {rule for rule, raw in raws if not isinstance(raw, str)} == {"body-depth", "body-size"}
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
def test_long_run_finds_faults_beyond_bodies(name: str, rule: str) -> None:
    """Generated requests alone find faults about callers, headers, texts and states, and nothing else."""
    fault = next(fault for fault in FAULTS if fault.name == name)
    executor = open_executor(WsgiTarget(fault.app()), options=ExecutorOptions(control_hook=MOCK_HOOK))
    report = Run(executor, RunOptions(layers=("properties",), max_examples=250)).execute()
    assert violated_rules(report) == {rule}


@pytest.mark.parametrize(
    "rule",
    keep_first(
        2, ["body-depth", "service-id-format", "body-size", "body-text", "body-keys", "service-exists"]
    ),
)
def test_long_run_finds_what_no_body_of_json_shows(rule: str) -> None:
    """Generated requests alone find sizes, depths, texts and service ids that are taken, and nothing else."""
    report = judge_app(
        create_app(disabled_rules={rule}), layers=("properties",), max_examples=250, min_judged=0
    )
    assert violated_rules(report) == {rule}


@pytest.mark.parametrize("refuse_only", [True, False])
def test_restricted_long_run_stays_in_its_scope(*, refuse_only: bool) -> None:
    """A run of one rule sends only its variants, and a run that may create nothing stores nothing."""
    app = create_app()
    executor = open_executor(WsgiTarget(app), options=ExecutorOptions(refuse_only=refuse_only))
    rules = None if refuse_only else frozenset({"auth-required"})
    options = RunOptions(layers=("properties",), max_examples=400, rules=rules, refuse_only=refuse_only)
    report = Run(executor, options).execute()
    assert violated_rules(report) == set()
    seen = {row.rule.id for row in report.verdicts if row.verdict == "conforms"}
    if refuse_only:
        assert app.test_client().get("/_mock/services").json["count"] == 0
        assert "auth-required" not in seen
    else:
        assert seen == {"auth-required"}
