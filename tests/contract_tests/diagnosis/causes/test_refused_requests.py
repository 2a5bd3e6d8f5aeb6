"""A refused request that takes effect: its own rule is blamed, not that of the last accepted request."""

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.diagnosis.diagnose import diagnose_violation
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.targets.wsgi import WsgiTarget
from tests.quality.faults.bleeding import REFUSALS
from tests.quality.faults.state import STATE
from tests.support.gate.gate import spec
from tests.support.gate.planting import Fault

CREDENTIAL, OTHER = "0192f0c1-2b3c-7d4e-8f50-616263646566", "3c90c3cc-0d44-4b50-8888-8dd25736052a"
BODY = {
    "display_name": "A name",
    "service_type": "external",
    "external_url": "https://a.example.com",
    "external_auth_credential_id": CREDENTIAL,
}
#: The request that is refused although it takes effect, and the rule that it breaks, by fault.
REFUSED = {
    "refused-for-the-team-and-stored": (
        Step("updateContainer", "jwt-blue", body={"external_auth_credential_id": OTHER}, expect="refuse"),
        "team-scope",
    ),
    "long-name-refused-and-stored": (
        Step(
            "updateContainer",
            "jwt-red",
            body={"external_auth_credential_id": OTHER, "display_name": "n" * 300},
            expect="refuse",
        ),
        "updated-stored",
    ),
    "taken-slug-refused-and-its-service-changed": (
        Step(
            "createContainer",
            "jwt-red",
            body={**BODY, "external_auth_credential_id": OTHER},
            slug="a",
            as_="second",
            expect="refuse",
        ),
        "created-stored",
    ),
}
FAULTS = {fault.name: fault for fault in (*REFUSALS, *STATE)}


def find_rule(fault: Fault, refused: Step) -> str:
    """Return the rule that is blamed for a wrong credential after a create, the refused request and a null."""
    null = Step("updateContainer", "jwt-red", body={"external_auth_credential_id": None}, expect="accept")
    shows = (("external_auth_credential_id", CREDENTIAL),)
    read = Step("readContainer", "jwt-red", shows=shows, expect="accept")
    create = Step(caller="jwt-red", body=BODY, slug="a", expect="accept")
    rule = "external-credential-null-keeps"
    case = Case(f"trace/random-{rule}", rule, "lifecycle", (create, refused, null, read))
    executor = open_executor(WsgiTarget(fault.app()), options=ExecutorOptions(spec=spec()))
    executor.readback = True
    observation = executor.run_case(case)
    assert observation.judgement.outcome == "violated", observation.judgement
    return diagnose_violation(executor, observation).judgement.rule


@pytest.mark.parametrize("name", REFUSED)
def test_the_refused_request_is_blamed(name: str) -> None:
    """A wrong read-back after a null credential is blamed on the refused request that changed the credential."""
    refused, rule = REFUSED[name]
    assert find_rule(FAULTS[name], refused) == rule


def test_a_refusal_without_effect_is_not_blamed() -> None:
    """Where the null credential itself clears the credential, a refused request beside it stays out of it."""
    refused, _ = REFUSED["refused-for-the-team-and-stored"]
    assert find_rule(FAULTS["null-clears-the-credential"], refused) == "external-credential-null-keeps"
