"""Each rule can be switched off, and then a fixture of that rule sees it."""

import pytest

from mock_server import create_app
from tests.support.clients import over_wsgi
from tests.support.fixture_player import RULES, Case, Play, cases

CASES = cases()


def _seen(case: Case, rule: str) -> bool:
    """Whether the case goes wrong on a mock without the rule: at a step before the last, or at the last."""
    with over_wsgi(create_app(disabled_rules={rule})) as send:
        try:
            return Play(send).judge(case) != ""
        except AssertionError:
            return True


@pytest.mark.parametrize("rule", RULES)
def test_a_mock_without_the_rule_fails_a_fixture_of_it(rule: str) -> None:
    """A rule that is switched off is missed by at least one case of the rule that is not open."""
    judging = [case for case in CASES if case.rule == rule and case.expect != "open"]
    assert any(_seen(case, rule) for case in judging)


#: Cases of other rules that see the rule too.
NEEDING = {
    "slug-unique": ("slug-stays-taken",),
    "exposed-port-range": ("slug-free-after-a-refused-create",),
}


@pytest.mark.parametrize("rule", ["slug-unique", "exposed-port-range", "auth-known"])
def test_switching_a_rule_off_leaves_the_others_on(rule: str) -> None:
    """Without one rule every case of every other rule goes as before."""
    untouched = [case for case in CASES if case.rule != rule and case.id not in NEEDING.get(rule, ())]
    with over_wsgi(create_app(disabled_rules={rule})) as send:
        wrong = {case.id: Play(send).judge(case) for case in untouched}
    assert {name: said for name, said in wrong.items() if said} == {}


def test_an_unknown_rule_cannot_be_switched_off() -> None:
    """The error names what was probably meant."""
    with pytest.raises(ValueError, match="'slug-uniq'; did you mean slug-unique"):
        create_app(disabled_rules={"slug-uniq"})
