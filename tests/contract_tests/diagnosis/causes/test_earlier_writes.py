"""A wrong value after an update that left it out is blamed on the write that stored it wrongly, if one did."""

from collections.abc import Mapping
from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.diagnosis.diagnose import diagnose_violation
from tests.quality.faults import FAULTS
from tests.support.gate.gate import open_app_executor
from tests.support.gate.planting import Write, remembering, rewrites

BODY = {"display_name": "A name", "docker_image": "nginx:1.27", "exposed_port": 9000}


@pytest.mark.parametrize(
    ("name", "sent", "shown", "rule"),
    [
        ("create-stores-the-port-as-text", {"display_name": "B"}, "exposed_port", "created-stored"),
        ("update-sets-defaults-again", {"display_name": "B"}, "exposed_port", "update-keeps-omitted"),
    ],
)
def test_the_write_that_stored_a_value_wrongly_is_blamed(
    name: str, sent: dict[str, object], shown: str, rule: str
) -> None:
    """A run of one rule, or one with a small budget, may never have read the service back before the update."""
    fault = next(fault for fault in FAULTS if fault.name == name)
    executor = open_app_executor(fault.app())
    executor.readback = True
    steps = (
        Step(caller="red", body=BODY),
        Step("updateContainer", "red", body=sent, expect="accept"),
        Step("readContainer", "red", shows=((shown, BODY[shown]),), expect="accept"),
    )
    observation = executor.run_case(Case("covering/kept", "update-keeps-omitted", "lifecycle", steps))
    assert observation.judgement.rule == "update-keeps-omitted"
    assert diagnose_violation(executor, observation).judgement.rule == rule


def test_a_write_of_another_service_is_not_blamed() -> None:
    """An update that changes a service of its neighbour stored rightly what it sent: the neighbour was not kept."""
    fault = next(fault for fault in FAULTS if fault.name == "prompt-shared-by-the-team")
    executor = open_app_executor(fault.app())
    executor.readback = True
    steps = (
        Step(caller="red", body={**BODY, "usage_prompt": "Old"}),
        Step(caller="red", body=BODY, as_="other"),
        Step("updateContainer", "red", body={"usage_prompt": "New"}, service="other", expect="accept"),
        Step("readContainer", "red", shows=(("usage_prompt", "Old"),), expect="accept"),
    )
    observation = executor.run_case(Case("covering/kept", "update-keeps-omitted", "lifecycle", steps))
    assert observation.judgement.outcome == "violated"
    assert diagnose_violation(executor, observation).judgement.rule == "update-keeps-omitted"


def test_a_value_that_the_update_changed_is_found_beside_one_that_was_stored_wrongly() -> None:
    """One read-back shows the label that the create stored wrongly, and the port that the update reset."""

    def change(write: Write) -> Mapping[str, Any]:
        return {"required_labels": ["x"], **({"exposed_port": 8080} if write.before else {})}

    executor = open_app_executor(remembering("two", "created-stored", rewrites("", change)).app())
    executor.readback = True
    kept = {"required_labels": ["gpu"], "exposed_port": 9000}
    steps = (
        Step(caller="red", body={**BODY, **kept}),
        Step("updateContainer", "red", body={"display_name": "B"}, expect="accept"),
        Step("readContainer", "red", shows=tuple(kept.items()), expect="accept"),
    )
    observation = executor.run_case(Case("covering/kept", "update-keeps-omitted", "lifecycle", steps))
    found = diagnose_violation(executor, observation).judgement
    assert (found.rule, [name for name, _, _ in found.differences]) == (
        "update-keeps-omitted",
        ["exposed_port"],
    )


def test_what_a_create_stored_wrongly_is_not_blamed_on_a_refused_update() -> None:
    """A refused update must change nothing: a run of ``updated-stored`` alone sees the port of the create there."""
    fault = next(fault for fault in FAULTS if fault.name == "create-stores-the-port-as-text")
    executor = open_app_executor(fault.app())
    executor.readback = True
    steps = (
        Step(caller="red", body=BODY),
        Step("updateContainer", "red", body={"exposed_port": 0}, expect="refuse"),
        Step("readContainer", "red", shows=(("exposed_port", 9000),), expect="accept"),
    )
    observation = executor.run_case(Case("refused-update", "updated-stored", "lifecycle", steps))
    assert observation.judgement.rule == "updated-stored"
    assert diagnose_violation(executor, observation).judgement.rule == "created-stored"
