"""A control hook that sets nothing."""

from collections.abc import Iterable
from typing import Any

import pytest

from mock_server import create_app
from tests.support.gate.gate import MOCK_HOOK, judge_app, rules_with, violated_rules

RULE = "not-while-busy"


def answer_every_path(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Serve the mock, beside a page that answers any other path with a success."""
    if not environ["PATH_INFO"].startswith("/page"):
        return MOCK(environ, start_response)
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<!doctype html>"]


MOCK = create_app()


def test_a_hook_that_sets_no_status_breaks_no_rule() -> None:
    """The read-back still shows the status created, so an update is rightly accepted: the rule is inconclusive."""
    report = judge_app(answer_every_path, hook="/page/{id}/{status}", rules={RULE}, layers=("lifecycle",))
    (row,) = [row for row in report.verdicts if row.rule.id == RULE]
    assert (violated_rules(report), row.verdict) == (set(), "inconclusive")
    assert 'the read-back shows the status "created" in place of deploying' in str(row)


@pytest.mark.parametrize("readback", [True, False], ids=["read-back", "no-read-back"])
def test_a_hook_that_sets_the_status_shows_the_violation(readback: bool) -> None:
    """A deployment that updates busy services is broken, also where no read-back shows the status."""
    faulty = create_app(disabled_rules={RULE})

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        hidden = not readback and "/r/containers/" in environ["PATH_INFO"]
        return faulty({**environ, "PATH_INFO": "/none"} if hidden else environ, start_response)

    report = judge_app(app, hook=MOCK_HOOK, rules={RULE}, layers=("lifecycle",))
    assert (violated_rules(report), rules_with(report, "inconclusive")) == ({RULE}, set())
