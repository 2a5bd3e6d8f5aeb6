"""A baseline hides no second fault of a rule, and another seed makes nothing new."""

from functools import cache

import pytest

from contract_tests.cases.model import LAYERS, Layer
from contract_tests.results.comparison import compare_reports
from contract_tests.results.finding_keys import FindingKey
from contract_tests.results.verdict import Report
from examples.deployment.choices import DEFAULT
from mock_server import create_app
from mock_server.services.memory import MemoryStore
from tests.quality.faults import FAULTS
from tests.support.gate.example_app import build_deployment_app
from tests.support.gate.gate import EXAMPLE_HOOK, App, judge_app
from tests.support.gate.messages import known
from tests.support.gate.planting import add_interceptor, served

FAULT = {fault.name: fault for fault in FAULTS}
#: Pairs of faults of one rule, and the layer that sees them: the second differs in the property, the operation, the
#: value, what is stored, the header, the caller, or what happened before.
PAIRS: tuple[tuple[str, str, str, Layer], ...] = (
    ("texts-unbounded", "prompt-over-4096-refused", "desc-over-1000-refused-on-create", "cases"),
    ("exposed-port-range", "port-0-taken-on-create", "port-65536-taken-on-create", "cases"),
    ("exposed-port-range", "port-0-taken-on-create", "port-0-taken-on-update", "cases"),
    ("created-stored", "desc-trimmed", "name-trimmed-on-create", "lifecycle"),
    ("request-forms", "cookies-refused", "accept-list-refused-on-create", "wire"),
    ("team-ignored-for-credentials", "sk-malformed-team-refused", "dk-malformed-team-refused", "wire"),
    ("slug-unique", "slug-unique-not-for-dk", "slug-unique-not-for-users", "lifecycle"),
)


def plant(*names: str) -> App:
    """Return a mock with several faults."""
    store = MemoryStore()
    app: App = create_app(spec=served(), callers=known(), store=store)
    for name in names:
        intercept = FAULT[name].intercept
        assert intercept is not None
        app = add_interceptor(app, intercept(store))
    return app


def find_new(earlier: Report, now: Report) -> tuple[FindingKey, ...]:
    """Return what is new in a report."""
    return compare_reports(earlier.summarize(), now.summarize()).new


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "first", "second", "layer"), PAIRS, ids=[pair[2] for pair in PAIRS])
def test_a_second_fault_of_a_rule_fails_beside_a_baseline(
    rule: str, first: str, second: str, layer: Layer
) -> None:
    """With a fault in the baseline the run passes; with a second fault of the same rule it fails for that one."""
    chosen = {"layers": (layer,), "rules": frozenset({rule}), "min_judged": 0}
    baseline = judge_app(plant(first), **chosen)
    assert baseline.exit_code == 1
    known_only = judge_app(plant(first), seed=1, **chosen)
    both = judge_app(plant(first, second), seed=2, **chosen)
    summary = baseline.summarize()
    assert known_only.compare_with(summary, is_baseline=True).exit_code == 0
    assert both.compare_with(summary, is_baseline=True).exit_code == 1
    assert {key.rule for key in find_new(baseline, both)} == {rule}
    assert find_new(both, known_only) == ()


FAULTY = ("prompt-over-4096-refused", "port-0-taken-on-create", "name-trimmed-on-create", "slug-unique-not-for-dk",
          "agent-key-taken", "update-clears-env", "malformed-json-crashes")  # fmt: skip


def judge_seed(target: str, seed: int) -> Report:
    """Judge a target with all layers."""
    if target == "example":
        return judge_app(
            build_deployment_app(DEFAULT), hook=EXAMPLE_HOOK, strict=False, layers=LAYERS, seed=seed
        )
    return judge_app(plant(*FAULTY), strict=False, layers=LAYERS, seed=seed)


@cache
def judge_first(target: str) -> Report:
    """Judge a target with the seed to which the others are compared: the only report that is kept, as it is large."""
    return judge_seed(target, 0)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["faulty", "example"])
@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=() if seed < 2 else pytest.mark.exhaustive) for seed in range(1, 50)]
)
def test_another_seed_makes_nothing_new(target: str, seed: int) -> None:
    """A run with another seed finds the same in the same target, in both directions."""
    first, other = judge_first(target), judge_seed(target, seed)
    assert (first.exit_code, other.exit_code) == ((1, 1) if target == "faulty" else (0, 0))
    assert find_new(first, other) == find_new(other, first) == ()
