"""Confirms on creates what was seen on updates: a choice of values has one option for both operations."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from contract_tests.calibration.probing.prober import Prober
from contract_tests.calibration.probing.sighting import CannotSee, Reaction, Sighting
from contract_tests.calibration.probing.trials import (
    ACCEPTING,
    TRIALS,
    applies_to_creates,
    merge_values,
    pack_trials,
)
from contract_tests.execution.sending.context import CannotRun


def confirm_on_create(prober: Prober, seen: Mapping[str, Sighting]) -> Iterator[tuple[str, Sighting | str]]:
    """Yield each choice of the trials with its sighting, or with the reason why there cannot be one.

    What updates accept is sent in as few creates as can hold it, and alone only where that is refused. What a create
    cannot show within the limits is not certain.
    """
    names = [name for name in TRIALS if name in seen and applies_to_creates(name)]
    accepted = [name for name in names if seen[name].option in ACCEPTING]
    doubtful: list[str] = []
    for together in pack_trials(accepted):
        if len(together) > 1 and _find_reaction(prober, together) == "accepted":
            yield from ((name, seen[name]) for name in together)
        else:
            doubtful += together
    for name in (*doubtful, *(name for name in names if name not in accepted)):
        expected = "accepted" if name in accepted else "refused"
        reaction = _find_reaction(prober, [name])
        if reaction == expected:
            yield name, seen[name]
        elif reaction:
            yield name, f"an update is {expected}, a create is {reaction}: {seen[name].evidence}"
        elif name in doubtful:
            yield name, f"an update is accepted, a create with other values is not: {seen[name].evidence}"
        else:
            yield name, replace(seen[name], confidence="medium")


def _find_reaction(prober: Prober, names: Iterable[str]) -> Reaction:
    """Return the reaction to a create with the first values of some trials; an empty one if it cannot be sent."""
    trials = [TRIALS[name] for name in names]
    values = merge_values(trial.values[0] for trial in trials)
    try:
        return prober.create(values=values, kind=trials[0].kind).reaction
    except (CannotSee, CannotRun):
        return ""
