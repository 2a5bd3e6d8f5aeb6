"""Packs: accepted values of different properties share one request, so that less is sent and stored.

A pack that is accepted proves each of its values. One that is refused proves nothing; its cases are then
played one by one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from contract_tests.case import Case

_ANSWERS = {"createContainer": "created", "updateContainer": "updated"}


@dataclass(frozen=True, slots=True)
class Pack:
    """One request for several cases."""

    case: Case
    members: tuple[Case, ...]


def packed(cases: Iterable[Case]) -> tuple[list[Pack], list[Case]]:
    """Return the packs of the cases that can share a request, and the other cases."""
    open_packs: dict[tuple[str, str], list[dict[str, Case]]] = {}
    alone: list[Case] = []
    for case in cases:
        if case.value is None or case.expect != "accept" or case.steps[0].slug is not None:
            alone.append(case)
            continue
        operation, service_type, name = case.value
        packs = open_packs.setdefault((operation, service_type), [])
        free = next((pack for pack in packs if name not in pack), None)
        if free is None:
            packs.append({name: case})
        else:
            free[name] = case
    made = [_pack(key, number, pack) for key, packs in open_packs.items() for number, pack in enumerate(packs, 1)]
    return made, alone


def _pack(key: tuple[str, str], number: int, cases: dict[str, Case]) -> Pack:
    operation, service_type = key
    body: dict[str, Any] = {}
    for name, case in cases.items():
        step_body = case.steps[0].body
        body = {**step_body, **body, name: step_body[name]}
    first = next(iter(cases.values()))
    name = f"pack/{operation}-{service_type}-{number}"
    step = replace(first.steps[0], body=body)
    whole = Case(name, _ANSWERS[operation], "cases", (step,), value=(operation, service_type, ""))
    return Pack(whole, tuple(cases.values()))
