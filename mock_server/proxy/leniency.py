"""Leniency: a violation of a point that the reference pages leave open gets the grade `assumed`.

`spec/choices.yaml` says what is open. A request is read twice: as the mock reads it, and as a deployment with the
lenient option of each choice reads it. A violation is open if the second reading finds none in its place.
"""

from collections.abc import Iterable
from dataclasses import replace

from mock_server.contract.choices import lenient_options
from mock_server.contract.model import Contract, Violation


def choose_leniently(contract: Contract) -> Contract:
    """Return the contract of a deployment that accepts all that is open."""
    return replace(contract, options=lenient_options(contract.choices))


def assume(violation: Violation) -> Violation:
    """Return the violation with the grade `assumed`."""
    return violation._replace(rule=replace(violation.rule, grade="assumed"))


def relax(found: Iterable[Violation], certain: Iterable[Violation]) -> list[Violation]:
    """Return the violations of the first reading; `certain` are those of the second one."""
    places = {
        (each.mismatch.location, each.mismatch.pointer) for each in certain if each.rule.grade != "assumed"
    }
    return [violation if _is_within(violation, places) else assume(violation) for violation in found]


def _is_within(violation: Violation, places: set[tuple[str, str]]) -> bool:
    """Return whether one of the places is that of the violation, or below it."""
    location, pointer = violation.mismatch.location, violation.mismatch.pointer
    return any(
        other == location and (below == pointer or below.startswith(f"{pointer}/")) for other, below in places
    )
