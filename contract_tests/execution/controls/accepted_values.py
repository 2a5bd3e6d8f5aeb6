"""The telling values that a target accepts, so that a request with many of them can be trusted.

A refusal proves its rule only if all else in the request is accepted. A read-back judges only what was stored.
"""

from collections.abc import Mapping
from typing import Any

from contract_tests.cases.building.telling_values import TELLING_VALUES, Values, choose_values
from contract_tests.cases.model import Step
from contract_tests.execution.controls.controls import Controls
from contract_tests.execution.sending.context import CannotRun, CaseContext
from contract_tests.targets.base import is_success

_CREDENTIAL = "external_auth_credential_id"
_MOST_VALUES = max(map(len, TELLING_VALUES.values()))


def list_offered_values(controls: Controls) -> Values:
    """Return all telling values, but a made-up credential only if the target takes one."""
    if not controls.refuse_only and accepts_credentials(controls):
        return TELLING_VALUES
    return {name: several for name, several in TELLING_VALUES.items() if name != _CREDENTIAL}


def accepts_credentials(controls: Controls) -> bool:
    """Return whether the target accepts a create with a credential reference; it may need an existing one."""
    body = controls.bodies["external-with-credential"]

    def send_create() -> bool:
        try:
            return is_success(controls.sender.send_step(_open_context(controls), Step(body=body)))
        except CannotRun:  # no service may be created any more
            return False

    return bool(controls.once.find("credentials", send_create))


def find_accepted_values(controls: Controls) -> Values:
    """Return the offered values without those that the target refuses; none if nothing may be created to find out.

    Values are tried together, one of each property, and one by one only where that is refused.
    """
    if controls.refuse_only:
        return {}
    offered = list_offered_values(controls)
    try:
        refused = {
            (name, index)
            for service_type in ("deployed", "external")
            for number in range(_MOST_VALUES)
            for name, index in _find_refused(controls, service_type, number, offered)
        }
    except CannotRun:  # no service may be created any more
        return {}
    kept = {
        name: tuple(value for index, value in enumerate(several) if (name, index) not in refused)
        for name, several in offered.items()
    }
    return {name: several for name, several in kept.items() if several}


def _find_refused(
    controls: Controls, service_type: str, number: int, offered: Values
) -> list[tuple[str, int]]:
    """Return property and index of the refused values; all that were tried if only their company is refused.

    Nothing is known of values where the target takes no service of that type at all.
    """
    values = choose_values(service_type, number, offered)
    if _accepts_values(controls, service_type, values) or not _accepts_values(controls, service_type, {}):
        return []
    alone = [
        name for name, value in values.items() if not _accepts_values(controls, service_type, {name: value})
    ]
    return [(name, number % len(offered[name])) for name in alone or values]


def _accepts_values(controls: Controls, service_type: str, values: Mapping[str, Any]) -> bool:
    """Return whether the target accepts these values in a create and, where it takes any, in an update."""
    key = ("values", service_type, repr(values))
    return bool(controls.once.find(key, lambda: _try_values(controls, service_type, values)))


def _try_values(controls: Controls, service_type: str, values: Mapping[str, Any]) -> bool:
    context = _open_context(controls)
    create = Step(body={**controls.bodies[service_type], **values})
    if not is_success(controls.sender.send_step(context, create)):
        return False
    owner = controls.choose_owner(Step(), context)
    base, shared = controls.find_base(service_type, owner), controls.open_shared(service_type, owner)
    if base is None or shared is None or shared.id is None:
        return True
    context.services["service"] = shared.id
    update = Step("updateContainer", owner.role, body={**base, **values})
    return is_success(controls.sender.send_step(context, update))


def _open_context(controls: Controls) -> CaseContext:
    return CaseContext(controls.caller_pool, controls.slugs)
