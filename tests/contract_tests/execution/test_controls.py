"""The services that cases share."""

import json

from contract_tests.cases.model import Case, Step
from contract_tests.execution.factory import open_executor
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app


def test_an_observation_has_the_create_of_its_shared_service() -> None:
    """Two updates of one shared service have the same create before them; a case with its own service has none."""
    executor = open_executor(WsgiTarget(create_app()))
    update = Step("updateContainer", service="shared:external", body={"display_name": "New"}, expect="accept")
    first, second = (executor.run_case(Case(f"c{n}", "updated", "cases", (update,))) for n in (1, 2))
    (create,) = first.setup
    assert first.setup == second.setup
    assert (create.method, create.status) == ("POST", 201)
    assert json.loads(create.response_body)["id"] in first.exchanges[-1].url
    own = Step(body=executor.controls.bodies["deployed"], expect="accept")
    assert executor.run_case(Case("c3", "created", "cases", (own,))).setup == ()
