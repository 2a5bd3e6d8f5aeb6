"""The refusals that injected faults carry are those of the mock."""

import pytest
from werkzeug.test import Client

from mock_server import create_app
from mock_server.contract import loader, resources
from mock_server.faults.refusals import Refusals
from tests.support.api import BODY, CREATE, auth
from tests.support.fixture_player import load

CONTRACT = loader.load_contract(resources.find_resource("spec/openapi.yaml"))
CONSTRAINTS = [rule for rule in load("spec/rules.yaml")["rules"] if rule["kind"] == "constraint"]


@pytest.mark.parametrize("rule", CONSTRAINTS, ids=lambda rule: rule["id"])
def test_every_constraint_has_its_refusal(rule: dict[str, object]) -> None:
    """On each operation of the rule, the refusal has its first status and one violation, of this rule."""
    refusals = Refusals(CONTRACT, 1000)
    for operation in (each for each in CONTRACT.operations if each.id in rule["operations"]):
        refusal = refusals.for_rule(operation, rule["id"])
        assert refusal is not None
        assert (refusal.status, [v.rule.id for v in refusal.violations]) == (rule["status"][0], [rule["id"]])


def test_only_constraints_have_a_refusal() -> None:
    """No request breaks a permission or an effect."""
    refusals = Refusals(CONTRACT, 1000)
    assert all(
        refusals.for_rule(operation, rule.id) is None
        for operation in CONTRACT.operations
        for rule in CONTRACT.rules.values()
        if rule.kind != "constraint"
    )


def test_the_refusal_of_a_disabled_rule_is_that_of_the_rule() -> None:
    """A mock without the rule still injects its refusal."""
    disabled = loader.load_contract(
        resources.find_resource("spec/openapi.yaml"), frozenset({"exposed-port-range", "slug-unique"})
    )
    for rule in ("exposed-port-range", "slug-unique"):
        expected = Refusals(CONTRACT, 1000).for_rule(CONTRACT.operations[0], rule)
        assert Refusals(disabled, 1000).for_rule(disabled.operations[0], rule) == expected


REAL = {
    "slug-unique": (BODY, "sk-red"),
    "display-name-required": ({"service_slug": "abc", "docker_image": "n"}, "sk-red"),
    "exposed-port-range": ({**BODY, "exposed_port": 0}, "sk-red"),
    "auth-agent": (BODY, "ak-red"),
    "team-required-for-jwt": (BODY, "jwt-red"),
}


@pytest.mark.parametrize(("body", "caller"), REAL.values(), ids=REAL)
def test_an_injected_refusal_equals_the_real_one(
    body: dict[str, object], caller: str, request: pytest.FixtureRequest
) -> None:
    """Status, headers and body are the same, byte by byte."""
    rule = request.node.callspec.id
    client = Client(create_app())
    client.post("/_mock/services", json=BODY)
    real = client.post(CREATE, json=body, headers=auth(caller))
    client.post("/_mock/script", json={"rule": rule})
    injected = client.post(CREATE, json={**BODY, "service_slug": "free"}, headers=auth())
    assert [violation["rule"] for violation in injected.json["violations"]] == [rule]
    assert (injected.status, injected.data, list(injected.headers)) == (
        real.status,
        real.data,
        list(real.headers),
    )
