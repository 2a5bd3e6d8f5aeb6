"""The target that sends each request to the deployment and to the mock."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from contract_tests.cases.callers import load_callers
from contract_tests.contract.choices import load_choices
from contract_tests.contract.resources import data_file
from contract_tests.parity.mock import describe_callers, open_mock
from contract_tests.parity.pairs.reading import RequestReader
from contract_tests.parity.pairs.twin import TwinTarget
from contract_tests.targets.base import NoResponse, Request, Response
from contract_tests.targets.clock import RunClock, RunStopped
from mock_server import create_app
from tests.support.gate.gate import catalogue, spec

CALLERS = load_callers(data_file("fixtures/callers.yaml"))
SK = next(caller for caller in CALLERS if caller.name == "sk-red")
HEADERS = (("Authorization", f"Bearer {SK.token}"), ("Content-Type", "application/json"))
#: What the deployment answers to a request that the mock answers so.
Change = Callable[[Request, Response], Response | NoResponse]


@dataclass
class Deployment:
    """Another mock, whose answers may be changed."""

    change: Change = field(default=lambda _request, response: response)
    url: str = "http://localhost/api/v1"
    concurrent: bool = True
    name: str = "h"
    clock: RunClock = field(default_factory=RunClock)
    timeout: float = 10.0

    def __post_init__(self) -> None:
        self._mock = open_mock(CALLERS)

    def send(self, request: Request) -> Response | NoResponse:
        """Answer as the mock, but for the change."""
        return self.change(request, self._mock.send(request))

    def reconnect(self) -> None:
        """Do nothing."""


def open_twin(change: Change | None = None, max_requests: int = 100) -> TwinTarget:
    """Return a twin of a deployment and a mock of its own, which compares read-backs."""
    reader = RequestReader(spec(), catalogue(), load_choices(), CALLERS)
    target = Deployment(change) if change else Deployment()
    return TwinTarget(target, open_mock(CALLERS), reader, max_requests, compares_reads=True)


def create(twin: TwinTarget, slug: str = "a-slug", **body: Any) -> str:
    """Create a service and return the id that the deployment gave."""
    value = {"service_slug": slug, "display_name": "A", "docker_image": "n", **body}
    response = twin.send(Request("POST", "/containers", HEADERS, json.dumps(value).encode()))
    assert isinstance(response, Response)
    return str(json.loads(response.body).get("id"))


def update(twin: TwinTarget, identifier: str, **body: Any) -> None:
    """Update a service."""
    twin.send(Request("PUT", f"/containers/{identifier}", HEADERS, json.dumps(body).encode()))


def read(twin: TwinTarget, slug: str = "a-slug") -> None:
    """Read a service back."""
    twin.send(Request("GET", f"/r/containers/{slug}", HEADERS[:1]))


def list_differences(twin: TwinTarget) -> list[tuple[str, str, str]]:
    """Return dimension and values of every difference."""
    found = [one for pair in twin.pairs for one in pair.comparison.differences]
    return [(one.dimension, one.theirs, one.ours) for one in found]


def test_the_two_have_ids_of_their_own_and_agree() -> None:
    """An update and a read-back of a service reach it in both."""
    twin = open_twin()
    identifier = create(twin)
    update(twin, identifier, exposed_port=81)
    read(twin)
    service = twin.services.find(identifier)
    assert service is not None
    assert service.ours not in ("", identifier)
    assert list_differences(twin) == []
    assert [pair.reading.operation for pair in twin.pairs] == [
        "createContainer",
        "updateContainer",
        "readContainer",
    ]


def refuse_port_81(request: Request, response: Response) -> Response:
    """Refuse an update that the mock accepts."""
    return Response(422, (), b"", 0.0) if b'"exposed_port": 81' in (request.body or b"") else response


def test_what_only_one_has_stored_is_not_compared_again() -> None:
    """After an update that the deployment refuses, the stored port may differ: one difference, not two."""
    twin = open_twin(refuse_port_81)
    identifier = create(twin)
    update(twin, identifier, exposed_port=81)
    read(twin)
    assert list_differences(twin) == [
        ("accepted", "refused (422)", "accepted (200)"),
        ("status", "refused (422)", "accepted (200)"),
    ]


def test_the_mock_is_given_a_service_that_it_refuses() -> None:
    """Later updates of the service are compared; what it stores is not."""
    twin = open_twin(lambda _, response: response)
    twin.target = Deployment()
    twin.target._mock.app = create_app(  # type: ignore[attr-defined]
        disabled_rules={"exposed-port-range"}, callers=describe_callers(CALLERS)
    )
    identifier = create(twin, exposed_port=0)
    update(twin, identifier, display_name="B")
    read(twin)
    assert [pair.reading.operation for pair in twin.pairs] == ["createContainer", "updateContainer"]
    assert list_differences(twin) == [
        ("accepted", "accepted (201)", "refused (400)"),
        ("status", "accepted (201)", "refused (400)"),
    ]


@pytest.mark.parametrize(
    "answer", [NoResponse("gone", 0.0), Response(503, (), b"", 0.0), Response(429, (), b"", 0.0)]
)
def test_a_request_without_an_answer_is_not_compared(answer: Response | NoResponse) -> None:
    """It is counted, and its slug is not compared later: it may have been stored."""
    answers = [answer]
    twin = open_twin(lambda _, response: answers.pop() if answers else response)
    twin.send(Request("POST", "/containers", HEADERS, b'{"service_slug": "a-slug", "display_name": "A"}'))
    create(twin)
    assert (twin.pairs, twin.uncompared, twin.requests) == ([], 1, 2)


def test_the_limit_of_requests_holds() -> None:
    """The request after the last one ends the run before anything is sent."""
    twin = open_twin(max_requests=1)
    create(twin)
    with pytest.raises(RunStopped):
        create(twin, "b-slug")
    assert twin.requests == 1


def test_a_request_to_another_path_is_only_passed_on() -> None:
    """The mock is asked nothing outside of the operations of the contract."""
    twin = open_twin()
    response = twin.send(Request("GET", "/containers"))
    assert isinstance(response, Response)
    assert (response.status, twin.pairs) == (405, [])
