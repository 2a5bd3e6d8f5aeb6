"""How far a run is and what it saw, as a file: a killed run is resumed from it, shards are merged by it."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from contract_tests.cases.model import LAYERS, Layer
from contract_tests.contract.rules import Catalogue
from contract_tests.execution.executor import Result
from contract_tests.results.aggregate import Tally
from contract_tests.results.verdict import LayerSummary, Report, verdicts
from contract_tests.results.waivers import Waiver
from contract_tests.targets.exchange import Exchange

NAME = "state.json"
_FORMAT = 1


@dataclass(slots=True)
class State:
    """One run. ``tally`` holds what is finished: the layers of ``done``, and ``rounds`` of generated bodies.

    ``pending`` holds what was seen since, which a resumed run plays again. ``given`` are the options of the
    command, so that a resumed run need not be told them; no secret is among them. ``seconds`` is how long the run
    has taken so far, all its parts together; it is ``finished`` once it has ended by itself, even if cut short.
    """

    target: str
    started: str
    seed: int = 0
    strict: bool = False
    shard: tuple[int, int] = (1, 1)
    contract: str = ""
    rules: tuple[str, ...] | None = None
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    callers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    layers: dict[Layer, LayerSummary] = field(default_factory=dict)
    requests: int = 0
    created: int = 0
    cut_short: str = ""
    finished: bool = False
    done: list[Layer] = field(default_factory=list)
    rounds: int = 0
    tally: Tally = field(default_factory=Tally)
    pending: Tally = field(default_factory=Tally)

    def report(self, catalogue: Catalogue, traffic: Sequence[Exchange] = ()) -> Report:
        """Return the report of what was seen so far."""
        seen = Tally()
        seen.merge(self.tally)
        seen.merge(self.pending)
        rows, found = verdicts(seen, catalogue, self.waivers, strict=self.strict)
        return Report(
            target=self.target,
            started=self.started,
            seconds=round(self.seconds, 3),
            seed=self.seed,
            strict=self.strict,
            callers=self.callers,
            verdicts=tuple(row for row in rows if self.rules is None or row.rule.id in self.rules),
            findings=found,
            layers=self.layers,
            requests=self.requests,
            created=self.created,
            notes=self.notes,
            cut_short=self.cut_short,
            expired=tuple(waiver for waiver in self.waivers.values() if waiver.expired),
            traffic=tuple(traffic),
        )

    def resumed(self) -> list[Result]:
        """Return the deviations of what is to be played again, so that none is lost; the rest is forgotten."""
        seen = [sighting.result for sighting in self.pending.deviations.values()]
        self.pending, self.cut_short, self.finished = Tally(), "", False
        return seen

    def with_deviations(self, results: Iterable[Result]) -> "State":
        """Return the state as it is with some more results pending."""
        pending = Tally.of(results)
        pending.merge(self.pending)
        return replace(self, pending=pending)

    def add(self, layer: Layer, cases: int, requests: int, seconds: float) -> None:
        """Add to what a layer took."""
        known = self.layers.get(layer, LayerSummary(0, 0, 0.0))
        self.layers[layer] = LayerSummary(
            known.cases + cases, known.requests + requests, known.seconds + seconds
        )

    def save(self, folder: Path) -> None:
        """Write the file whole or not at all; OSError where it cannot be written."""
        draft = folder / f"{NAME}.{os.getpid()}"
        draft.write_text(json.dumps(self._data()) + "\n", "utf-8")
        draft.replace(folder / NAME)

    def _data(self) -> dict[str, Any]:
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return plain | {
            "format": _FORMAT,
            "waivers": [[w.rule, w.reason, w.until.isoformat()] for w in self.waivers.values()],
            "layers": {name: asdict(layer) for name, layer in self.layers.items()},
            "tally": self.tally.to_data(),
            "pending": self.pending.to_data(),
        }


def load_state(folder: Path) -> State:
    """Read the state of the run that reports to ``folder``; ValueError says what is wrong with it."""
    path = folder / NAME
    try:
        data = json.loads(path.read_text("utf-8"))
        if data.pop("format") != _FORMAT:
            raise ValueError(f"{path} was written by another version of the kit; run again")
        rules = data["rules"]
        return State(
            **data
            | {
                "shard": tuple(data["shard"]),
                "rules": None if rules is None else tuple(rules),
                "waivers": {r: Waiver(r, why, date.fromisoformat(day)) for r, why, day in data["waivers"]},
                "callers": tuple(data["callers"]),
                "notes": tuple(data["notes"]),
                "layers": {name: LayerSummary(**layer) for name, layer in data["layers"].items()},
                "tally": Tally.from_data(data["tally"]),
                "pending": Tally.from_data(data["pending"]),
            }
        )
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; name the --report folder of a run") from None
    except json.JSONDecodeError:
        raise ValueError(f"{path} is cut short, or no JSON; start a new run") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not what a run of this kit wrote: {error!r}") from None


def merged(states: Sequence[State]) -> State:
    """Return one state of the shards of one run; ValueError where they do not belong together, or one is missing."""
    first = states[0]
    for state in states[1:]:
        for name in ("target", "contract", "strict", "rules", "waivers"):
            if getattr(state, name) != getattr(first, name):
                raise ValueError(f"the runs differ in {name}; merge the shards of one run")
    if not all(state.finished for state in states):
        raise ValueError("one of the runs did not end; go on with it first: contract-tests run --resume DIR")
    _check_shards(states)
    whole = replace(first, tally=Tally(), pending=Tally(), layers={}, done=[], shard=(1, 1))
    for state in states:
        whole.tally.merge(state.tally)
        whole.tally.merge(state.pending)
        for name, layer in state.layers.items():
            whole.add(name, layer.cases, layer.requests, layer.seconds)
    whole.layers = {layer: whole.layers[layer] for layer in LAYERS if layer in whole.layers}
    whole.started = min(state.started for state in states)
    whole.seconds = max(state.seconds for state in states)
    whole.requests, whole.created = sum(s.requests for s in states), sum(s.created for s in states)
    whole.callers = tuple(dict.fromkeys(name for state in states for name in state.callers))
    whole.notes = tuple(dict.fromkeys(note for state in states for note in state.notes))
    whole.cut_short = next((state.cut_short for state in states if state.cut_short), "")
    return whole


def _check_shards(states: Sequence[State]) -> None:
    numbers, of = sorted(state.shard[0] for state in states), {state.shard[1] for state in states}
    if len(of) > 1:
        raise ValueError("the runs are shards of different numbers of parts; merge the shards of one run")
    (parts,) = of
    twice = sorted({number for number in numbers if numbers.count(number) > 1}) if parts > 1 else []
    missing = sorted({*range(1, parts + 1)} - {*numbers})
    if twice:
        raise ValueError(f"shard {twice[0]}/{parts} is there twice; name the folder of each shard once")
    if missing:
        raise ValueError(f"shard {missing[0]}/{parts} is missing; name its --report folder too")
