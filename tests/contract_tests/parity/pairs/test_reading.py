"""What the contract says of a request that is about to be sent."""

import json
from typing import Any

import pytest

from contract_tests.cases.callers import load_callers
from contract_tests.contract.choices import load_choices
from contract_tests.contract.resources import data_file
from contract_tests.parity.pairs.reading import RequestReader
from contract_tests.parity.pairs.services import KnownService, Services
from contract_tests.targets.base import Request
from tests.support.gate.gate import catalogue, spec

CALLERS = {caller.name: caller for caller in load_callers(data_file("fixtures/callers.yaml"))}
RED, BLUE = CALLERS["sk-red"].teams[0], CALLERS["sk-blue"].teams[0]
KNOWN, BUSY, FOREIGN = (f"0192f0c1-9a8b-7c6d-9e5f-40414243444{number}" for number in (1, 2, 3))
ITEM = {"env_name": "A", "env_value": "b"}
PLAIN = {"service_slug": "new", "display_name": "A", "docker_image": "n"}


@pytest.fixture(scope="module")
def reader() -> RequestReader:
    """Return a reader for the callers of the fixtures."""
    return RequestReader(spec(), catalogue(), load_choices(), CALLERS.values())


@pytest.fixture
def services() -> Services:
    """Return a service of team red, a busy one, and one of team blue."""
    known = Services()
    known.add(KnownService(KNOWN, "x", "taken", RED, "deployed"))
    known.add(KnownService(BUSY, "x", "busy", RED, "external", status="deploying"))
    known.add(KnownService(FOREIGN, "x", "foreign", BLUE, "deployed"))
    return known


def build(body: Any, service: str = "", caller: str = "sk-red", **headers: str | None) -> Request:
    """Return a create, or an update of a service; ``headers`` are written with underscores."""
    sent: dict[str, str | None] = {
        "Authorization": f"Bearer {CALLERS[caller].token}" if caller in CALLERS else f"Bearer {caller}",
        "Content-Type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"/containers/{service}" if service else "/containers"
    kept = tuple((name, value) for name, value in sent.items() if value is not None)
    return Request("PUT" if service else "POST", path, kept, raw)


@pytest.mark.parametrize(
    ("request_", "broken", "choices"),
    [
        (build(PLAIN), (), ()),
        (build({**PLAIN, "service_slug": "taken"}), ("slug-unique",), ()),
        (build({**PLAIN, "service_slug": "foreign"}), (), ()),
        (build({**PLAIN, "exposed_port": 0}), ("exposed-port-range",), ()),
        (build({**PLAIN, "exposed_port": None}), (), ("null-on-create",)),
        (build({**PLAIN, "exposed_port": 80.0}), (), ("integral-floats",)),
        (build({**PLAIN, "other": 1}), (), ("unknown-properties",)),
        (build({**PLAIN, "env_config": [{**ITEM, "c": 1}]}), (), ("unknown-item-properties",)),
        (build({**PLAIN, "env_config": [{"env_name": "A"}]}), ("env-value-required",), ("env-value",)),
        (build({**PLAIN, "gpu_count": -2}), ("gpu-count-range",), ("gpu-count-below-minus-one",)),
        (build({**PLAIN, "docker_image": ""}), (), ("empty-docker-image",)),
        (build({**PLAIN, "external_url": "https://a.example.com"}), (), ("external-url-on-deployed",)),
        (build({**PLAIN, "required_labels": ["a", "a"]}), (), ("repeated-items",)),
        (build({**PLAIN, "display_name": "a\0b"}), ("body-text",), ("nul-characters",)),
        (build(json.dumps(PLAIN).encode() + b" " * 20_000), (), ("largest-body",)),
        (build(b'{"service_slug": '), ("body-json",), ()),
        (build(PLAIN, Content_Type=None), (), ("missing-media-type",)),
        (build(PLAIN, Content_Type="application/json; charset=utf-8"), (), ("media-type-parameters",)),
        (build(PLAIN, Content_Type="text/plain"), ("body-media-type",), ()),
        (build(PLAIN, Authorization=None), ("auth-required",), ()),
        (build(PLAIN, caller="sk-never-issued"), ("auth-known",), ("unknown-tokens",)),
        (build(PLAIN, caller="ak-red"), ("auth-agent",), ()),
        (build(PLAIN, Authorization=f"bearer {CALLERS['sk-red'].token}"), (), ("bearer-case",)),
        (build(PLAIN, caller="jwt-red"), ("team-required-for-jwt",), ()),
        (build(PLAIN, caller="jwt-red", X_Team_ID=""), ("team-uuid",), ("empty-team",)),
        (build(PLAIN, caller="jwt-red", X_Team_ID=BLUE), ("team-member",), ("foreign-teams",)),
        (build({}, KNOWN), (), ()),
        (build({}, "not-a-uuid"), ("service-id-format",), ()),
        (build({}, KNOWN.replace("0192", "0193")), ("service-exists",), ("unknown-services",)),
        (build({}, FOREIGN), ("team-scope",), ()),
        (build({}, BUSY), ("not-while-busy",), ()),
        (build(b"", KNOWN), (), ("empty-update-body",)),
        (build({"service_type": "external"}, KNOWN), (), ("immutable-properties",)),
        (build({"external_url": "https://a.example.com"}, KNOWN), ("external-url-on-external-only",), ()),
        (build({"exposed_port": 0}, FOREIGN), ("exposed-port-range", "team-scope"), ()),
    ],
)  # fmt: skip
def test_the_rules_and_choices_of_a_request(
    reader: RequestReader,
    services: Services,
    request_: Request,
    broken: tuple[str, ...],
    choices: tuple[str, ...],
) -> None:
    """Broken rules come in the order of the stages; choices are those of the open points that the request touches."""
    reading = reader.read(request_, services)
    assert reading is not None
    assert (reading.broken, reading.choices) == (broken, choices)
