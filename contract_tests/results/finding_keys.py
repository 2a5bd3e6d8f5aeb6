"""Finding keys: what makes findings of different runs the same."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from contract_tests.cases.model import Case
from contract_tests.results.judge import Difference

_MAX_INPUTS = 50
_GENERATED = "by a generated request"
_VERBS = {
    "createContainer": "create",
    "updateContainer": "update",
    "readContainer": "read",
    "setStatus": "status",
}


@dataclass(frozen=True, slots=True, order=True)
class FindingKey:
    """The identity of a finding across runs: the rule, the kind of input, and what was seen.

    No part of it depends on a seed, on values that were drawn, or on how often something was seen.
    """

    rule: str
    input: str
    seen: str

    def __str__(self) -> str:
        """Return the key as one line."""
        return f"{self.rule}: {self.input}: {self.seen}"


def build_keys(rule: str, inputs: Iterable[str], reason: str) -> tuple[FindingKey, ...]:
    """Return a key for each kind of input that showed a violation for one reason."""
    seen = re.sub(r"\d+", "N", reason)
    return tuple(FindingKey(rule, kind, seen) for kind in inputs)


def merge_inputs(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds of input of both; that of generated requests only if there is no other.

    A generated request without a part to blame shows by chance what planned ones show in every run.
    """
    inputs = sorted({*first, *second})
    planned = [kind for kind in inputs if not kind.endswith(_GENERATED)]
    return tuple(planned or inputs)[:_MAX_INPUTS]


def list_inputs(case: Case, differences: Iterable[Difference] = ()) -> tuple[str, ...]:
    """Return the kinds of input that a case shows to be wrong, without any value: ``create with exposed_port``.

    A read-back shows one kind for each property that differs.
    """
    verb = _VERBS.get(case.operation, case.operation)
    names = sorted({name for name, _, _ in differences})
    if names:
        return tuple(f"{verb}, {name} read back" for name in names)
    return (f"{verb} {_describe_input(case)}",)


def _describe_input(case: Case) -> str:
    """Return the part of the request that the case is about, without its value."""
    if case.layer == "race":
        return "at the same moment"
    requests = [step for step in case.steps if step.operation in ("createContainer", "updateContainer")]
    if len(requests) == 1 and case.value:
        return f"with {case.value[2]}"
    if case.is_generated:
        return _GENERATED
    earlier = " and ".join(dict.fromkeys(_VERBS[step.operation] for step in requests[:-1]))
    return f"after {earlier}" if earlier else "in one request"
