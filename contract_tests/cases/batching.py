"""Packs: values of different properties share one request, so that less is sent and stored.

A pack of values that must be accepted proves each of them if it is; if it is refused it proves nothing, and its
cases are played one by one. A pack of values that are left open passes whatever it is answered, but for a server
error; then its cases are played one by one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from contract_tests.cases.model import Case, Expect

_SUCCESS_RULES = {"createContainer": "created", "updateContainer": "updated"}


@dataclass(frozen=True, slots=True)
class Batch:
    """One request for several cases."""

    case: Case
    members: tuple[Case, ...]


def batch_cases(cases: Iterable[Case]) -> tuple[list[Batch], list[Case]]:
    """Return the packs of the cases that can share a request, and the other cases."""
    open_packs: dict[tuple[str, str, Expect], list[dict[str, Case]]] = {}
    alone: list[Case] = []
    for case in cases:
        if case.value is None or case.expect == "refuse" or case.steps[0].slug is not None:
            alone.append(case)
            continue
        operation, service_type, name = case.value
        packs = open_packs.setdefault((operation, service_type, case.expect), [])
        free = next((pack for pack in packs if name not in pack), None)
        if free is None:
            packs.append({name: case})
        else:
            free[name] = case
    made = [
        _build_batch(key, number, pack)
        for key, packs in open_packs.items()
        for number, pack in enumerate(packs, 1)
    ]
    return made, alone


def _build_batch(key: tuple[str, str, Expect], number: int, cases: dict[str, Case]) -> Batch:
    operation, service_type, expect = key
    body: dict[str, Any] = {}
    for name, case in cases.items():
        step_body = case.steps[0].body
        body = {**step_body, **body, name: step_body[name]}
    first = next(iter(cases.values()))
    name = f"pack/{expect}-{operation}-{service_type}-{number}"
    step = replace(first.steps[0], body=body)
    whole = Case(name, _SUCCESS_RULES[operation], "cases", (step,), value=(operation, service_type, ""))
    return Batch(whole, tuple(cases.values()))
