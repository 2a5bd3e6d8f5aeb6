"""Batches: values of different properties share one request, so that less is sent and stored.

If a batch of values that must be accepted is accepted, it proves each of them; otherwise its cases run one by
one. A batch of open values passes with any response except a server error; then its cases run one by one. The values
of an open batch are about one choice, so that a refusal shows it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contract_tests.cases.model import Case, Expect
from contract_tests.cases.value_templates import fill_templates

#: A deployment may refuse bodies over 16 KiB; the rest is left for names and for the properties of the base.
_MAX_BATCH_BYTES = 14 * 1024
#: Operation, service type, expectation and choice, which the cases of a batch have in common.
_BatchKey = tuple[str, str, Expect, str]
_SUCCESS_RULES = {"createContainer": "created", "updateContainer": "updated"}


@dataclass(frozen=True, slots=True)
class Batch:
    """One request for several cases."""

    case: Case
    members: tuple[Case, ...]


def batch_cases(cases: Iterable[Case]) -> tuple[list[Batch], list[Case]]:
    """Return the batches of the cases that can share a request, and the remaining cases."""
    open_batches: dict[_BatchKey, list[dict[str, Case]]] = {}
    single: list[Case] = []
    for case in cases:
        if case.value is None or case.expect == "refuse" or case.steps[0].slug is not None:
            single.append(case)
            continue
        operation, service_type, name = case.value
        key = (operation, service_type, case.expect, case.steps[-1].choice)
        candidates = open_batches.setdefault(key, [])
        room = _MAX_BATCH_BYTES - _size_of(case)
        free = next(
            (
                batch
                for batch in candidates
                if name not in batch and sum(map(_size_of, batch.values())) <= room
            ),
            None,
        )
        if free is None:
            candidates.append({name: case})
        else:
            free[name] = case
    batches = [
        _build_batch(key, number, tuple(members.values()))
        for key, same_key in open_batches.items()
        for number, members in enumerate(same_key, 1)
    ]
    return batches, single


def _size_of(case: Case) -> int:
    """Return about the size of the value that a case adds to a body."""
    name = case.value[2] if case.value else ""
    value = fill_templates(case.steps[0].body.get(name), lambda length: "s" * (length or 20))
    return len(json.dumps(value, ensure_ascii=False).encode())


def join_cases(name: str, cases: Sequence[Case]) -> Case:
    """Return one request with the values of all cases, which are of one operation and type."""
    first = cases[0]
    body: dict[str, Any] = {}
    operation, service_type, _ = first.value or ("", "", "")
    for case in cases:
        step_body, own = case.steps[0].body, case.value[2] if case.value else ""
        body = {**step_body, **body, own: step_body[own]}
    step = replace(first.steps[0], body=body)
    return Case(name, _SUCCESS_RULES[operation], "cases", (step,), value=(operation, service_type, ""))


def _build_batch(key: _BatchKey, number: int, cases: tuple[Case, ...]) -> Batch:
    operation, service_type, expect, choice = key
    about = f"{expect}-{choice}" if choice else expect
    name = f"pack/{about}-{operation}-{service_type}-{number}"
    return Batch(join_cases(name, cases), cases)
