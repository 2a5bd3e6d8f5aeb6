"""Repeats of cases."""

from collections import Counter

from contract_tests.cases.callers import build_caller_pool, load_callers
from contract_tests.cases.repeats import repeat_cheap_cases
from contract_tests.cases.tables import load_fixture_cases
from contract_tests.contract.resources import data_file
from contract_tests.contract.rules import load_catalogue

POOL = build_caller_pool(load_callers(data_file("fixtures/callers.yaml")))
CASES = load_fixture_cases(load_catalogue())


def test_cheap_cases_are_repeated_as_often_as_asked() -> None:
    """Each rule gets as many as it misses, one that misses none gets none, and none leaves a service behind."""
    repeats = repeat_cheap_cases(
        CASES, POOL, {"exposed-port-range": 9, "team-uuid": 2, "created": 3, "body-text": -1}
    )
    assert Counter(case.rule for case in repeats) == {"exposed-port-range": 9, "team-uuid": 2}
    assert all(case.expect == "refuse" or case.operation == "updateContainer" for case in repeats)


def test_a_large_body_is_not_repeated() -> None:
    """Of the cases of deep bodies only the small one is repeated, and none of the body of two mebibytes."""
    repeats = repeat_cheap_cases(CASES, POOL, {"body-size": 9, "body-depth": 3})
    assert [case.id.partition("~")[0] for case in repeats] == ["depth-thousand-objects"] * 3
