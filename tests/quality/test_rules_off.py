"""Each rule that a mock does not keep is named by the gate, and no other."""

from collections.abc import Iterable
from typing import Any

import pytest

from mock_server import create_app
from tests.support.gate.gate import App, catalogue, describe_findings, judge_app, rules_with, violated_rules

pytestmark = pytest.mark.slow

#: What it takes to see the rules that answers alone do not show.
NEEDS = {rule.id: rule.needs for rule in catalogue().values() if rule.needs}
UNSEEN = {"read-back": "the target offers no read-back", "control-hook": "needs --control-hook"}


@pytest.mark.parametrize(
    "rule",  # the mutants switch every rule off
    [
        pytest.param(rule, marks=(pytest.mark.exhaustive,) if number % 30 else ())
        for number, rule in enumerate(catalogue())
    ],
)
def test_a_rule_that_is_off_is_named_and_no_other(rule: str) -> None:
    """A mock without one rule makes the gate red; the rules found broken are that rule alone."""
    report = judge_app(create_app(disabled_rules={rule}))
    assert (report.exit_code, violated_rules(report)) == (1, {rule}), describe_findings(report)


def unobserved(app: App) -> App:
    """An app without its read-back."""

    def observed(environ: Any, start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            start_response("404 Not Found", [("Content-Type", "application/json")])
            return [b"{}"]
        return app(environ, start_response)

    return observed


@pytest.mark.parametrize("off", [None, *NEEDS], ids=str)
def test_a_rule_that_cannot_be_seen_is_said_to_be_unseen(off: str | None) -> None:
    """Without read-back and hook, their rules are not observed, broken or not, each with its reason."""
    app = create_app(disabled_rules={off} if off else set())
    report = judge_app(unobserved(app), hook=None, layers=("lifecycle",))
    rows = {row.rule.id: row for row in report.verdicts}
    assert {rule: rows[rule].verdict for rule in NEEDS} == dict.fromkeys(NEEDS, "not observed")
    for rule, needs in NEEDS.items():
        assert UNSEEN[needs] in rows[rule].reason
    assert violated_rules(report) == set(), describe_findings(report)


@pytest.mark.parametrize("rule", [rule for rule, needs in NEEDS.items() if needs == "control-hook"])
def test_without_a_hook_the_status_rules_alone_are_unseen(rule: str) -> None:
    """A run without a hook sees every other rule."""
    report = judge_app(create_app(disabled_rules={rule}), hook=None)
    assert (report.exit_code, rules_with(report, "not observed")) == (0, {rule})
    assert rules_with(report, "conforms") == set(catalogue()) - {rule}


def test_without_a_read_back_what_is_stored_is_unseen() -> None:
    """A run without a read-back sees every rule but those of what is stored."""
    report = judge_app(unobserved(create_app()))
    stored = {rule for rule, needs in NEEDS.items() if needs == "read-back"}
    assert rules_with(report, "not observed") == stored
    assert rules_with(report, "conforms") == set(catalogue()) - stored
