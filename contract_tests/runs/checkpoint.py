"""Checkpoint: the progress and results of a run as a file, from which runs are resumed and shards merged."""

import errno
import json
import os
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from contract_tests.cases.model import LAYERS, Layer
from contract_tests.contract.choices import load_choices
from contract_tests.contract.files.file_shapes import check_shape, read_json_file
from contract_tests.contract.rules import Catalogue
from contract_tests.contract.waivers import Waiver
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.chosen import list_chosen
from contract_tests.results.observation import Observation
from contract_tests.results.verdict import MIN_JUDGED, LayerSummary, Report, decide_verdicts
from contract_tests.targets.exchange import Exchange

STATE_FILE = "state.json"
_FORMAT = 4
_PROBE_BYTES = 4096
_MAX_NAME = 40  # characters of an unknown rule that are shown
_MAX_SECONDS = 10**10  # Infinity and NaN, which JSON of Python may hold, are none


#: Options that all shards of a run have in common, so that together they are the whole.
_SHARED_OPTIONS = ("layers", "refuse_only")
#: Fields whose JSON key differs: state files outlive a version of the kit.
_JSON_KEYS = {"command_options": "given", "done_layers": "done", "committed": "tally"}


@dataclass(slots=True)
class RunState:
    """State of one run.

    ``committed`` holds the results of ``done_layers`` and of ``rounds`` rounds of generated bodies; ``pending``
    holds later ones, which a resumed run repeats. ``command_options`` are the options of the command, without
    secrets. ``wrong_labels`` are keys whose team is wrong in the callers file, which a preflight does not see.
    ``seconds`` is the total time of all parts. ``finished`` is true once the run has ended by itself.
    """

    target: str
    started: str
    seed: int = 0
    strict: bool = False
    shard: tuple[int, int] = (1, 1)
    contract: str = ""
    rules: tuple[str, ...] | None = None
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
    command_options: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    callers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unusable_callers: tuple[str, ...] = ()
    wrong_labels: tuple[str, ...] = ()
    min_judged: float = MIN_JUDGED
    layers: dict[Layer, LayerSummary] = field(default_factory=dict)
    requests: int = 0
    created: int = 0
    cut_short: str = ""
    finished: bool = False
    done_layers: list[Layer] = field(default_factory=list)
    rounds: int = 0
    committed: Aggregate = field(default_factory=Aggregate)
    pending: Aggregate = field(default_factory=Aggregate)

    def build_report(
        self, catalogue: Catalogue, traffic: Sequence[Exchange] = (), left_out: Container[str] = ()
    ) -> Report:
        """Return the report of all results so far; the budget left out cases of the rules ``left_out``."""
        whole = Aggregate()
        whole.merge(self.committed)
        whole.merge(self.pending)
        whole.fold_layers([layer for layer in LAYERS if layer in self.layers])
        rows, findings = decide_verdicts(
            whole,
            catalogue,
            self.waivers,
            strict=self.strict,
            left_out=left_out,
            refuse_only=bool(self.command_options.get("refuse_only")),
        )
        selected = None if self.rules is None else {*self.rules, *(finding.rule.id for finding in findings)}
        rows = tuple(row for row in rows if selected is None or row.rule.id in selected)
        conforming = {row.rule.id for row in rows if row.verdict == "conforms"}
        spare = [one.rule for one in self.waivers.values() if one.rule in conforming and not one.expired]
        return Report(
            target=self.target,
            started=self.started,
            seconds=round(self.seconds, 3),
            seed=self.seed,
            strict=self.strict,
            callers=self.callers,
            verdicts=rows,
            findings=findings,
            layers=self.layers,
            requests=self.requests,
            created=self.created,
            notes=(*self.notes, *(f"the rule {rule} conforms; its waiver can go" for rule in spare)),
            unusable_callers=(*self.unusable_callers, *self.wrong_labels),
            min_judged=self.min_judged,
            cut_short=self.cut_short,
            expired=tuple(waiver for waiver in self.waivers.values() if waiver.expired),
            traffic=tuple(traffic),
            contract=self.contract,
            chosen=list_chosen(whole.answers, load_choices()),
        )

    def check_rules(self, catalogue: Catalogue) -> None:
        """Raise ValueError if a violation is of a rule that the contract does not have."""
        for part in (self.committed, self.pending):
            for deviation in part.deviations.values():
                rule = deviation.observation.judgement.rule
                if rule not in catalogue:
                    raise ValueError(
                        f"the rule {rule[:_MAX_NAME]!r} was broken, but the contract has none; start a new run"
                    )

    def take_pending(self) -> list[Observation]:
        """Return the violations that are still pending, and drop the other pending results, which run again."""
        observations = [deviation.observation for deviation in self.pending.deviations.values()]
        self.pending, self.cut_short, self.finished = Aggregate(), "", False
        return observations

    def with_pending(self, observations: Iterable[Observation]) -> "RunState":
        """Return a copy of the state with more pending observations."""
        pending = Aggregate.of(observations)
        pending.merge(self.pending)
        return replace(self, pending=pending)

    def add_layer(self, layer: Layer, cases: int, requests: int, seconds: float) -> None:
        """Add to the summary of a layer."""
        known = self.layers.get(layer, LayerSummary(0, 0, 0.0))
        self.layers[layer] = LayerSummary(
            known.cases + cases, known.requests + requests, known.seconds + seconds
        )

    def save(self, folder: Path) -> None:
        """Write the file atomically; raise OSError if it is not writable."""
        draft = _name_draft(folder)
        try:
            draft.write_text(json.dumps(self._to_json()) + "\n", "utf-8")
            draft.replace(folder / STATE_FILE)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(folder / STATE_FILE)) from None

    def _to_json(self) -> dict[str, Any]:
        plain = {_JSON_KEYS.get(f.name, f.name): getattr(self, f.name) for f in fields(self)}
        return plain | {
            "format": _FORMAT,
            "waivers": [waiver.to_json() for waiver in self.waivers.values()],
            "layers": {name: asdict(layer) for name, layer in self.layers.items()},
            "tally": self.committed.to_json(),
            "pending": self.pending.to_json(),
        }


def check_writable(folder: Path) -> None:
    """Raise OSError if a run could not save its state in ``folder``; an older state stays as it is."""
    path, draft = folder / STATE_FILE, _name_draft(folder)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    try:
        draft.write_text(" " * _PROBE_BYTES, "utf-8")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        draft.unlink(missing_ok=True)


def _name_draft(folder: Path) -> Path:
    return folder / f"{STATE_FILE}.{os.getpid()}"


def load_state(folder: Path) -> RunState:
    """Read the state of the run that reports to ``folder``; raise ValueError if it is unusable."""
    path = folder / STATE_FILE
    data = read_json_file(path, "state")
    if not isinstance(data, dict) or data.pop("format", None) != _FORMAT:
        raise ValueError(f"{path} was written by another version of the kit; start a new run")
    check_shape(data, "state", path)
    times = [data.get("seconds", 0), *(layer["seconds"] for layer in data["layers"].values())]
    if not all(0 <= seconds <= _MAX_SECONDS for seconds in times):
        raise ValueError(f"{path}: seconds: expected a number of seconds")
    if not 0 <= data.get("min_judged", 0) <= 1:
        raise ValueError(f"{path}: min_judged: expected a number from 0 to 1")
    try:
        return _state_from_json(data)
    except ValueError as error:  # such as a body that cannot be unpacked
        raise ValueError(f"{path}: {error}") from None


def _state_from_json(data: Mapping[str, Any]) -> RunState:
    names = {key: name for name, key in _JSON_KEYS.items()}
    plain = {names.get(key, key): value for key, value in data.items()}
    rules = data["rules"]
    return RunState(
        **plain
        | {
            "shard": tuple(data["shard"]),
            "rules": None if rules is None else tuple(rules),
            "waivers": {waiver.rule: waiver for waiver in map(Waiver.from_json, data["waivers"])},
            "callers": tuple(data["callers"]),
            "notes": tuple(data["notes"]),
            "unusable_callers": tuple(data["unusable_callers"]),
            "wrong_labels": tuple(data.get("wrong_labels", ())),
            "layers": {name: LayerSummary(**layer) for name, layer in data["layers"].items()},
            "committed": Aggregate.from_json(data["tally"]),
            "pending": Aggregate.from_json(data["pending"]),
        }
    )


def merge_states(states: Sequence[RunState]) -> RunState:
    """Return one state for the shards of one run; raise ValueError if they do not match or one is missing."""
    first = states[0]
    for state in states[1:]:
        for name in ("target", "contract", "strict", "rules", "waivers", "min_judged"):
            if getattr(state, name) != getattr(first, name):
                raise ValueError(f"the runs differ in {name}; merge the shards of one run")
    if not all(state.finished for state in states):
        raise ValueError(
            "one of the runs has not finished; continue it first: contract-tests run --resume DIR"
        )
    _check_shards(states)
    if any(state in states[:number] for number, state in enumerate(states)):
        raise ValueError("two of the reports are of the same run; name the folder of each run once")
    whole = replace(
        first, committed=Aggregate(), pending=Aggregate(), layers={}, done_layers=[], shard=(1, 1)
    )
    for state in states:
        whole.committed.merge(state.committed)
        whole.committed.merge(state.pending)
        for name, layer in state.layers.items():
            whole.add_layer(name, layer.cases, layer.requests, layer.seconds)
    whole.layers = {layer: whole.layers[layer] for layer in LAYERS if layer in whole.layers}
    whole.started = min(state.started for state in states)
    whole.seconds = max(state.seconds for state in states)
    whole.requests, whole.created = sum(s.requests for s in states), sum(s.created for s in states)
    whole.callers = tuple(dict.fromkeys(name for state in states for name in state.callers))
    whole.unusable_callers = tuple(dict.fromkeys(name for state in states for name in state.unusable_callers))
    whole.wrong_labels = tuple(dict.fromkeys(name for state in states for name in state.wrong_labels))
    whole.notes = tuple(dict.fromkeys(note for state in states for note in state.notes))
    whole.cut_short = next((state.cut_short for state in states if state.cut_short), "")
    return whole


def _check_shards(states: Sequence[RunState]) -> None:
    numbers, of = sorted(state.shard[0] for state in states), {state.shard[1] for state in states}
    if len(of) > 1:
        raise ValueError("the runs were split into different numbers of shards; merge the shards of one run")
    (parts,) = of
    for name in _SHARED_OPTIONS if parts > 1 else ():
        if any(s.command_options.get(name) != states[0].command_options.get(name) for s in states):
            option = f"--{name.replace('_', '-')}"
            raise ValueError(f"the runs differ in {option}; run every shard with the same, then merge them")
    repeated = sorted({number for number in numbers if numbers.count(number) > 1}) if parts > 1 else []
    missing = sorted({*range(1, parts + 1)} - {*numbers})
    if repeated:
        raise ValueError(f"shard {repeated[0]}/{parts} is given twice; name the folder of each shard once")
    if missing:
        raise ValueError(f"shard {missing[0]}/{parts} is missing; name its --report folder too")
