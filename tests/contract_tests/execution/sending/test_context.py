"""Steps as requests."""

import json

from contract_tests.cases.callers import build_caller_pool, load_callers
from contract_tests.cases.tables import load_bodies
from contract_tests.cases.value_templates import SlugFactory
from contract_tests.contract.resources import data_file
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.execution.sending.context import CaseContext
from contract_tests.generation.bodies import Sample
from contract_tests.generation.rounds import build_property_case

CATALOGUE, SPEC, BODIES = load_catalogue(), load_spec(), load_bodies()


ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445"


def test_generated_body_is_sent_unchanged() -> None:
    """A generated body that looks like a value template is sent unchanged."""
    odd = {"env_config": [{"$text": -120}, {"$bytes": "aGk="}]}
    case = build_property_case(
        Sample("updateContainer", "fuzzing", positive=False, value=odd), "1", "deployed"
    )
    scene = CaseContext(
        build_caller_pool(load_callers(data_file("fixtures/callers.yaml"))),
        SlugFactory(),
        services={"shared:deployed": ID},
    )
    request, _ = scene.build_request(
        SPEC.operations["updateContainer"], case.steps[0], scene.find_caller("red")
    )
    assert json.loads(request.body or b"") == odd
