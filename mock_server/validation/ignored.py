"""Remarks about properties of a body that are accepted and have no effect: unknown, immutable and unused ones.

A remark is printable ASCII, for a header and the log: `displayname (did you mean display_name?)`.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from mock_server.contract.model import Contract
from mock_server.contract.property_names import UnknownProperty
from mock_server.contract.suggestions import suggest_name
from mock_server.services.model import UNUSED_PROPERTIES
from mock_server.validation.state import IMMUTABLE_PROPERTIES

#: The header of a response whose request has such properties.
IGNORED_HEADER = "Mock-Ignored"
MAX_REMARKS = 8
_MAX_PLACE = 80
_PLAIN_PLACE = re.compile(r"[A-Za-z0-9_./-]+")


def remark_unknown(
    contract: Contract, unknown: Iterable[UnknownProperty], redact: Callable[[str], str]
) -> list[str]:
    """Return a remark for each unknown property, and the number of further ones if there are many.

    An update does not know the properties that no update changes; a remark gives that reason.
    """
    remarks, found = [], iter(unknown)
    for each in itertools.islice(found, MAX_REMARKS):
        rule = IMMUTABLE_PROPERTIES.get(each.place)
        if rule is None:
            reason = suggest_name(each.name, each.known) or "the contract has no such property"
            remarks.append(f"{format_place(redact(each.place))} ({reason})")
        elif contract.rule_enabled(rule):
            remarks.append(f"{each.place} (no update changes it)")
    more = sum(1 for _ in found)
    return [*remarks, f"and {more} more"] if more else remarks


def remark_unused(service_type: object, body: dict[str, Any]) -> list[str]:
    """Return a remark for each property that a service of that type does not use."""
    names = UNUSED_PROPERTIES.get(service_type, ()) if isinstance(service_type, str) else ()
    reason = f"a service of the type {service_type} does not use it"
    return [f"{name} ({reason})" for name in names if body.get(name) is not None]


def format_place(place: str) -> str:
    """Return a place as printable ASCII of limited length."""
    shown = place if _PLAIN_PLACE.fullmatch(place) else json.dumps(place).replace("\x7f", "\\u007f")
    return shown if len(shown) <= _MAX_PLACE else f"{shown[: _MAX_PLACE - 3]}..."
