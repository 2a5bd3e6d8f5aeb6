"""The requests with one fault each whose refusals several probes compare."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from contract_tests.calibration.probing.prober import Headers, Judged, Prober
from contract_tests.calibration.probing.sighting import Answer
from contract_tests.cases.model import Expect

Part = Literal["authentication", "team", "path", "body", "state"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an update: the part of the request that it is in, and what it changes."""

    part: Part
    what: str
    rule: str
    expect: Expect = "refuse"
    headers: Headers = ()
    caller: str = "red"
    service: str = "deployed"
    changes: Mapping[str, Any] = field(default_factory=dict)


NO_TOKEN = Fault(
    "authentication", "without Authorization", "auth-required", headers=(("Authorization", None),)
)
BASIC = Fault(
    "authentication", "with the scheme Basic", "auth-bearer", headers=(("Authorization", "Basic {token}"),)
)
EMPTY_TOKEN = Fault(
    "authentication",
    "with the scheme Bearer and no token",
    "auth-bearer",
    headers=(("Authorization", "Bearer"),),
)
AGENT_KEY = Fault("authentication", "as an agent key", "auth-agent", caller="ak-red")
NO_TEAM = Fault(
    "team",
    "as a JWT without X-Team-ID",
    "team-required-for-jwt",
    caller="jwt-red",
    headers=(("X-Team-ID", None),),
)
EMPTY_TEAM = Fault(
    "team", "as a JWT with an empty X-Team-ID", "team-uuid", caller="jwt-red", headers=(("X-Team-ID", ""),)
)
MALFORMED_TEAM = Fault(
    "team",
    "as a JWT with the X-Team-ID not-a-uuid",
    "team-uuid",
    caller="jwt-red",
    headers=(("X-Team-ID", "not-a-uuid"),),
)
MALFORMED_ID = Fault("path", "with the serviceId not-a-uuid", "service-id-format", service="not-a-uuid")
INVALID_VALUE = Fault(
    "body", 'with {"exposed_port": 0}', "exposed-port-range", changes={"body": {"exposed_port": 0}}
)
MALFORMED_BODY = Fault(
    "body", "with a body that ends early", "body-json", changes={"raw": '["display_name", '}
)
OTHER_MEDIA_TYPE = Fault(
    "body", "with the Content-Type text/plain", "body-media-type", headers=(("Content-Type", "text/plain"),)
)


def unknown_service(prober: Prober) -> Fault:
    """Return the update of a service that does not exist; its id has the version and the case of the others."""
    known = str(prober.find_shared("deployed").id)
    end = uuid4().hex[:12]
    unknown = known[:-12] + (end.upper() if known.isupper() else end)
    identifier = prober.remember("unknown service", unknown)
    return Fault("state", "with an unknown serviceId", "service-exists", "open", service=identifier)


def foreign_service(prober: Prober) -> Fault:
    """Return the update of another team's service."""
    foreign = str(prober.find_shared("deployed", "blue").id)
    return Fault("state", "with the serviceId of another team", "team-scope", service=foreign)


def ask(prober: Prober, *faults: Fault, again: bool = False) -> Answer:
    """Return the answer to an update with these faults, all in one request; ``again`` is a second such request."""
    first = faults[0]
    changes: dict[str, Any] = {}
    for fault in faults:
        changes |= fault.changes
    return prober.update(
        " and ".join(fault.what for fault in faults) + (" again" if again else ""),
        headers=tuple(header for fault in faults for header in fault.headers),
        caller=next((fault.caller for fault in faults if fault.caller != "red"), "red"),
        service=next((fault.service for fault in faults if fault.service != "deployed"), "deployed"),
        judged=Judged(first.rule, first.expect),
        **changes,
    )
