"""The stored values, as the read-back shows them, and whether ids lead to it."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from contract_tests.calibration.probing.prober import Prober
from contract_tests.calibration.probing.sighting import CannotSee
from contract_tests.cases.model import Case, Step
from contract_tests.execution.sending.context import CaseContext
from contract_tests.results.judge import (
    ID_ERRORS,
    REPEATED_ID,
    Judgement,
    parse_json_object,
)
from contract_tests.results.observation import Observation
from contract_tests.targets.base import Response, is_success
from contract_tests.targets.exchange import Exchange


def read_stored(prober: Prober, kind: str = "deployed") -> Mapping[str, Any]:
    """Return the read-back of a shared service; raise CannotSee if it is missing, or that of another service."""
    require_readback(prober)
    step = Step("readContainer", prober.find_owner().role)
    response = prober.wire.executor.sender.send_step(_open_context(prober, kind), step)
    shown = parse_json_object(response) if is_success(response) else None
    if shown is None:
        raise CannotSee("the read-back failed")
    if str(shown.get("id")).lower() != str(prober.find_shared(kind).id).lower():
        raise CannotSee("the read-back shows another service of this slug")
    return shown


def require_readback(prober: Prober) -> None:
    """Raise CannotSee if the target offers no read-back."""
    if not prober.wire.executor.readback:
        raise CannotSee("the target offers no read-back")


def require_stored(prober: Prober, rule: str, values: Mapping[str, Any]) -> None:
    """Raise CannotSee if the read-back of the deployed service fails, or shows other values or another id."""
    if not _shows_stored(prober, rule, values):
        raise CannotSee("the read-back failed")


def _shows_stored(prober: Prober, rule: str, values: Mapping[str, Any]) -> bool:
    """Return False if the read-back of the deployed service fails; raise CannotSee if it shows something else."""
    step = Step("readContainer", prober.find_owner().role, shows=tuple(values.items()))
    executor = prober.wire.executor
    prober.wire.require_budget(len(executor.late_reads.waits))
    context = _open_context(prober, "deployed")
    context.services["service"] = str(prober.find_shared("deployed").id)
    judgement = executor.read_back(executor.catalogue[rule], step, context)
    if judgement.outcome == "violated":
        prober.wire.record(judgement, step, context)
        raise CannotSee(f"the read-back does not show what is stored by the rule {judgement.rule}")
    return judgement.outcome == "passed"


def can_read(prober: Prober, caller: str) -> bool:
    """Return whether the read-back knows the token of a listed caller."""
    if not prober.wire.executor.readback:
        return False
    context = _open_context(prober, "deployed")
    context.caller_pool = prober.wire.listed
    response = prober.wire.executor.sender.send_step(context, Step("readContainer", caller))
    return isinstance(response, Response) and response.status != 401


def require_right_ids(prober: Prober) -> None:
    """Raise CannotSee if the ids of creates are wrong: then requests by id prove nothing."""
    wire = prober.wire
    prober.find_shared("deployed")
    with suppress(CannotSee):
        prober.find_shared("external")
    creates = [each for each in wire.executor.sender.traffic if each.method == "POST"]
    ids = [str(body.get("id")).lower() for each in creates if (body := parse_accepted(each))]
    if len(set(ids)) < len(ids):
        judgement = Judgement("violated", "created", REPEATED_ID, "", "a new id", "accepted")
        case = Case("calibration/ids", "created", "cases", (Step(),))
        wire.observations.append(Observation(case, judgement, tuple(creates)))
    elif wire.executor.readback:  # it may refuse the caller of the probes
        wire.executor.readback = _shows_stored(prober, "created", {})
    if any(observation.judgement.reason in ID_ERRORS for observation in wire.observations):
        raise CannotSee("the ids that creates return are wrong, so that requests by id prove nothing")


def parse_accepted(exchange: Exchange) -> dict[str, Any] | None:
    """Return the body of an accepted exchange as a JSON object, or None."""
    response = Response(exchange.status, (), exchange.response_body.encode(), 0.0)
    return parse_json_object(response) if is_success(response) else None


def _open_context(prober: Prober, kind: str) -> CaseContext:
    prober.wire.require_budget()
    context = prober.wire.open_context()
    context.service_slugs["service"] = prober.find_shared(kind).slug
    return context
