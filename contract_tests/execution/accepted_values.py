"""The telling values that a target accepts, so that a request with many of them can be trusted.

A refusal proves its rule only if all else in the request is accepted. A read-back judges only what was stored.
"""

from contract_tests.cases.telling_values import TELLING_VALUES, Values, choose_values
from contract_tests.execution.context import CannotRun
from contract_tests.execution.controls import Controls

_CREDENTIAL = "external_auth_credential_id"
_MOST_VALUES = max(map(len, TELLING_VALUES.values()))


def list_offered_values(controls: Controls) -> Values:
    """Return all telling values, but a made-up credential only if the target takes one."""
    if not controls.refuse_only and controls.accepts_credentials():
        return TELLING_VALUES
    return {name: several for name, several in TELLING_VALUES.items() if name != _CREDENTIAL}


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
    if controls.accepts_values(service_type, values) or not controls.accepts_values(service_type, {}):
        return []
    alone = [
        name for name, value in values.items() if not controls.accepts_values(service_type, {name: value})
    ]
    return [(name, number % len(offered[name])) for name in alone or values]
