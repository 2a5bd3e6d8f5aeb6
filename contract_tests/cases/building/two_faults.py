"""Requests with two faults: which of the two a target refuses shows the order of its checks."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from contract_tests.cases.model import SHARED_PREFIX, Case, OperationId, Step

#: A fault of each stage, as changes to a plain step. Two that change the same field cannot be combined.
_FAULTS: Mapping[str, Mapping[str, Any]] = {
    "auth-required": {"headers": (("Authorization", None),)},
    "auth-known": {"caller": "unknown"},
    "team-required-for-jwt": {"caller": "jwt-red", "headers": (("X-Team-ID", None),)},
    "team-member": {"caller": "jwt-red", "team": "blue"},
    "body-media-type": {"headers": (("Content-Type", "text/plain"),)},
    "body-json": {"raw": '{"display_name": '},
    "exposed-port-range": {"body": {"exposed_port": 0}},
    "service-id-format": {"service": "not-a-uuid"},
    "service-exists": {"service": "0192f0c1-9a8b-7c6d-9e5f-404142434447"},
}
_OF_UPDATES = ("service-id-format", "service-exists")


def build_two_fault_cases(bodies: Mapping[str, Any]) -> list[Case]:
    """Return a case for each pair of faults that one request can have; any refusal is right."""
    return [
        case
        for operation in ("createContainer", "updateContainer")
        for pair in combinations(_FAULTS, 2)
        for case in _combine(operation, pair, bodies["deployed"])
    ]


def _combine(operation: OperationId, pair: tuple[str, str], body: Any) -> Iterator[Case]:
    first, second = (_FAULTS[rule] for rule in pair)
    creating = operation == "createContainer"
    if first.keys() & second.keys() - {"headers"} or {"raw", "body"} <= first.keys() | second.keys():
        return
    if creating and any(rule in _OF_UPDATES for rule in pair):
        return
    headers = (*first.get("headers", ()), *second.get("headers", ()))
    changes = {**first, **second, "headers": headers}
    if creating and "body" in changes:
        changes["body"] = {**body, **changes["body"]}
    plain = Step(
        operation,
        body=body if creating else {},
        service=SHARED_PREFIX + "deployed",
        expect="open",
        choice="check-order",
    )
    short = "create" if creating else "update"
    yield Case(f"two-faults/{'+'.join(pair)}-on-{short}", pair[0], "wire", (replace(plain, **changes),))
