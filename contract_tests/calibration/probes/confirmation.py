"""Confirms on creates what was seen on updates: a choice of values has one option for both operations."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_tests.calibration.probes.values import TRIALS, Values
from contract_tests.calibration.probing.prober import Prober
from contract_tests.calibration.probing.sighting import CannotSee, Reaction, Sighting
from contract_tests.execution.sending.context import CannotRun

#: The options that an accepted update shows.
_ACCEPTING = ("accepted", "ignored", "optional")


def confirm_on_create(prober: Prober, seen: Mapping[str, Sighting]) -> Iterator[tuple[str, Sighting | str]]:
    """Yield each choice of the trials with its sighting, or with the reason why there cannot be one.

    What updates accept is sent in one create of each type, and alone only where that is refused. What a create cannot
    show within the limits is not certain.
    """
    names = [name for name in TRIALS if name in seen]
    accepted = [name for name in names if seen[name].option in _ACCEPTING]
    alone = [name for name in names if name not in accepted]
    for kind in ("deployed", "external"):
        together = [name for name in accepted if TRIALS[name].kind == kind]
        if together and _find_reaction(prober, together) == "accepted":
            yield from ((name, seen[name]) for name in together)
        else:
            alone += together
    for name in alone:
        expected = "accepted" if name in accepted else "refused"
        reaction = _find_reaction(prober, [name])
        if reaction == expected:
            yield name, seen[name]
        elif reaction:
            yield name, f"an update is {expected}, a create is {reaction}: {seen[name].evidence}"
        else:
            yield name, replace(seen[name], confidence="medium")


def _find_reaction(prober: Prober, names: Iterable[str]) -> Reaction:
    """Return the reaction to a create with the first values of some trials; an empty one if it cannot be sent."""
    trials = [TRIALS[name] for name in names]
    values = _merge_values(trial.values[0] for trial in trials)
    try:
        return prober.create(values=values, kind=trials[0].kind).reaction
    except (CannotSee, CannotRun):
        return ""


def _merge_values(several: Iterable[Values]) -> dict[str, Any]:
    """Return all values in one body; arrays of the same name are joined."""
    merged: dict[str, Any] = {}
    for values in several:
        for name, value in values.items():
            known = merged.get(name)
            merged[name] = [*known, *value] if isinstance(known, list) else value
    return merged
