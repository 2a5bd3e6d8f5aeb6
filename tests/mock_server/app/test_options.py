"""Each rule can be disabled, and then a fixture of that rule fails."""

import pytest

from mock_server import create_app
from tests.support.clients import over_wsgi
from tests.support.fixture_player import RULES, Case, FixturePlayer, cases

CASES = cases()


def fails_without_rule(case: Case, rule: str) -> bool:
    """Return whether a case fails on a mock without the rule."""
    with over_wsgi(create_app(disabled_rules={rule})) as send:
        try:
            return FixturePlayer(send).judge(case) != ""
        except AssertionError:
            return True


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.slow
def test_a_disabled_rule_fails_one_of_its_fixtures(rule: str) -> None:
    """At least one case of a disabled rule fails, except open cases."""
    own_cases = [case for case in CASES if case.rule == rule and case.expect != "open"]
    assert any(fails_without_rule(case, rule) for case in own_cases)


#: Cases of other rules that depend on the rule.
NEEDING = {
    "slug-unique": (
        "slug-stays-taken",
        "slug-stays-with-other-properties",
        "slug-of-an-external-service-stays-taken",
        "refused-create-changes-nothing",
    ),
    "exposed-port-range": (
        "slug-free-after-a-refused-create",
        "update-refused-for-its-port-changes-nothing",
    ),
    "auth-known": ("slug-free-after-a-create-by-an-unknown-caller",),
}


@pytest.mark.parametrize("rule", ["slug-unique", "exposed-port-range", "auth-known"])
@pytest.mark.slow
def test_disabling_a_rule_keeps_the_others(rule: str) -> None:
    """With one rule disabled, the cases of every other rule pass."""
    other_cases = [case for case in CASES if case.rule != rule and case.id not in NEEDING.get(rule, ())]
    with over_wsgi(create_app(disabled_rules={rule})) as send:
        problems = {case.id: FixturePlayer(send).judge(case) for case in other_cases}
    assert {name: problem for name, problem in problems.items() if problem} == {}


def test_an_unknown_rule_cannot_be_disabled() -> None:
    """The error suggests a known rule."""
    with pytest.raises(ValueError, match="'slug-uniq'; did you mean slug-unique"):
        create_app(disabled_rules={"slug-uniq"})
