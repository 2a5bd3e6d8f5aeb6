"""Updates of another team's service that are accepted."""

import pytest

from mock_server import create_app
from tests.support.gate.gate import judge_app, rules_with, violated_rules
from tests.support.gate.messages import Interceptor, Request, Response, Send
from tests.support.gate.planting import add_interceptor

RULE = "team-scope"


def accept_any_id(*, readback: bool) -> Interceptor:
    """Return an interceptor for updates of ids that the team has not: they are accepted and change nothing."""

    def intercept(request: Request, send: Send) -> Response:
        if not readback and "/r/containers/" in request.environ["PATH_INFO"]:
            return Response(404)
        response = send(request)
        ignored = request.operation == "update" and response.status == 404
        return Response(200).with_value({"id": request.service}) if ignored else response

    return intercept


@pytest.mark.parametrize(
    ("readback", "reason"), [(True, "and changes nothing"), (False, "so a success shows no change")]
)
def test_an_update_without_effect_breaks_no_rule(readback: bool, reason: str) -> None:
    """No page says how an unknown id is answered: where any id is accepted, a success alone shows no access."""
    app = add_interceptor(create_app(), accept_any_id(readback=readback))
    report = judge_app(app, rules={RULE}, layers=("lifecycle",))
    (row,) = [row for row in report.verdicts if row.rule.id == RULE]
    assert (violated_rules(report), row.verdict) == (set(), "inconclusive")
    assert f"an update of an unknown id is accepted as well, {reason}" in str(row)


def test_an_update_with_an_effect_is_a_violation() -> None:
    """A deployment that accepts unknown ids and lets a team change the services of another one is broken."""
    faulty = create_app(disabled_rules={RULE, "service-exists"})
    report = judge_app(faulty, rules={RULE}, layers=("lifecycle",))
    assert (violated_rules(report), rules_with(report, "inconclusive")) == ({RULE}, set())
