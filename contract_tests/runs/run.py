"""One run: preflight, the layers in their order, and the report."""

import hashlib
import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

from contract_tests.cases.batching import Pack, packed
from contract_tests.cases.boundaries import derived_cases, fresh
from contract_tests.cases.model import LAYERS, Case, Layer
from contract_tests.cases.scenarios import directed
from contract_tests.cases.tables import fixture_cases
from contract_tests.contract.rules import Catalogue
from contract_tests.execution.executor import TRAFFIC, Player, Result, TargetGone
from contract_tests.execution.preflight import Preflight, preflight
from contract_tests.execution.race import play_race, race_cases
from contract_tests.execution.random_scenarios import Plan, more, plans, play_plan, stage
from contract_tests.execution.shrink import reduced
from contract_tests.generation.body_mutation import Pool
from contract_tests.generation.request_variants import crossed
from contract_tests.generation.rounds import GATE_EXAMPLES, Round, rounds
from contract_tests.results.aggregate import Tally
from contract_tests.results.verdict import Report
from contract_tests.results.waivers import Waiver
from contract_tests.runs.checkpoint import State
from contract_tests.runs.example_db import Archive

_FEW = 5
_HELD = 200  # violations that wait for being shortened


@dataclass(frozen=True, slots=True)
class Options:
    """What to run and how far to go.

    ``target`` is the name that the user gave it; ``seconds`` and ``max_examples`` bound the run and its random part.
    ``operation`` and ``turns`` (numbers of rounds of generated bodies) name a part of the layers alone.
    """

    target: str = ""
    layers: tuple[Layer, ...] = LAYERS
    strict: bool = False
    seed: int = 0
    max_examples: int = GATE_EXAMPLES
    seconds: float | None = None
    concurrency: int = 12
    refuse_only: bool = False
    rules: frozenset[str] | None = None
    shard: tuple[int, int] = (1, 1)
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
    operation: str = ""
    turns: frozenset[int] | None = None


Progress = Callable[[Layer, int, int, int], None]  # layer, cases done, cases in all, findings so far


class Run:
    """Plays the layers against one target. Ctrl-C and a target that is gone end it with what was seen.

    ``state`` is that of a run to go on with. ``keep`` is given the state whenever more of it is settled, and as
    soon as a new kind of deviation is seen.
    """

    def __init__(
        self,
        player: Player,
        options: Options,
        progress: Progress = lambda *_: None,
        *,
        state: State | None = None,
        keep: Callable[[State], None] = lambda _: None,
        archive: Archive | None = None,
        ready: Preflight | None = None,
    ) -> None:
        """``progress`` is called after every case; ``archive`` holds what other runs have seen of the target.

        ``ready`` is what the preflight of an earlier run of the target found.
        """
        self.player, self.options, self._progress, self._keep = player, options, progress, keep
        self._archive, self._ready = archive, ready
        self.state = state or new_state(player, options)
        self._before = (self.state.seconds, self.state.requests, 0 if state else -player.ledger.count)
        self._held = self.state.resumed()
        self._unit = 0
        self._violated = len(self.state.tally.deviations)
        self._clock, self._ends = time.monotonic(), float("inf")

    @property
    def catalogue(self) -> Catalogue:
        """The rules."""
        return self.player.catalogue

    def report(self) -> Report:
        """Play everything that is left and return the report; CannotJudge where the preflight fails."""
        self._clock = time.monotonic()
        if self.options.seconds is not None:
            self._ends = self._clock + self.options.seconds
        ready = self._ready or preflight(self.player)
        self.player.cast, self.player.readback = ready.cast, ready.readback
        self.state.callers = tuple(caller.name for caller in ready.cast.callers)
        self.state.notes = ready.notes
        self.state.cut_short = self._play_layers()
        self.state.finished = True
        self._save()
        if self._archive and self._archive.problem:
            self.state.notes += (self._archive.problem,)
        if self.player.requests > TRAFFIC:
            self.state.notes += (f"of the traffic the last {TRAFFIC} requests are kept",)
        return self.state.report(self.catalogue, self.player.traffic)

    def _play_layers(self) -> str:
        plan: dict[Layer, Callable[[], None]] = {
            "cases": lambda: self._play_cases(self._select(self._cases())),
            "wire": self._play_wire,
            "lifecycle": self._play_lifecycle,
            "race": lambda: self._play_all("race", self._select(race_cases()), play_race, alone=True),
            "properties": self._play_properties,
        }
        try:
            self._settle()
            self._play_known()
            for layer in LAYERS:
                if layer in self.options.layers and layer not in self.state.done:
                    self._play_layer(layer, plan[layer])
        except KeyboardInterrupt:
            return "interrupted"
        except TargetGone as gone:
            return f"the target stopped answering: {gone}"
        except Exception as error:  # what was seen so far is worth more than a traceback
            return f"an error of the suite, please report it: {type(error).__name__}: {error}"
        finally:
            self._release()
        return "the time is up" if self._over() else ""

    def _play_layer(self, layer: Layer, play: Callable[[], None]) -> None:
        clock, requests, self._unit = time.monotonic(), self.player.requests, 0
        try:
            play()
            self._settle()
            if not self._over():
                self.state.done.append(layer)
                self._commit()
        finally:
            spent = time.monotonic() - clock
            self.state.add(layer, self._unit, self.player.requests - requests, spent)
            self._save()

    def _cases(self) -> list[Case]:
        tables = self._fixtures("cases")
        return tables + fresh(derived_cases(self.player.spec, self.catalogue, self.player.bodies), tables)

    def _fixtures(self, layer: Layer) -> list[Case]:
        return [case for case in fixture_cases(self.catalogue) if case.layer == layer]

    def _play_cases(self, cases: Sequence[Case]) -> None:
        packs, alone = packed(cases)
        unproven: list[Case] = []
        rotated = [replace(pack, case=self.player.cast.rotated(pack.case)) for pack in packs]
        for pack, result in self._map(lambda pack: (pack, self.player.play(pack.case)), rotated):
            unproven += self._unpacked(pack, result)
        self._play_all("cases", [self.player.cast.rotated(case) for case in (*alone, *unproven)])
        self._play_again("cases", alone)

    def _play_wire(self) -> None:
        cases = self._select(self._fixtures("wire"))
        self._play_all("wire", [self.player.cast.rotated(case) for case in cases])
        self._play_again("wire", cases)

    def _play_again(self, layer: Layer, cases: Iterable[Case]) -> None:
        """Play a refusal of each rule late once more: a rule may be enforced at first only.

        Twice in a row where few cases try the rule: one of two instances behind an address may not enforce it.
        """
        tried: dict[str, list[Case]] = {}
        for case in cases:
            if case.expect == "refuse":
                tried.setdefault(case.rule, []).append(case)
        again = [
            self.player.cast.rotated(of[-1], turn)
            for of in tried.values()
            for turn in range(1, 3 if len(of) < _FEW else 2)
        ]
        self._play_all(layer, again, in_order=True)

    def _unpacked(self, pack: Pack, result: Result) -> tuple[Case, ...]:
        if result.judgement.outcome != "passed":
            return pack.members
        for member in pack.members:
            self._note(replace(result, case=member, judgement=replace(result.judgement, rule=member.rule)))
        return ()

    def _play_lifecycle(self) -> None:
        traces = [*self._fixtures("lifecycle"), *directed(self.player.cast, self.player.bodies)]
        self._play_all("lifecycle", self._select(traces))
        if self._plays_traces:
            self._play_plans(plans(stage(self.player), self.options.seed + self.options.shard[0] - 1))

    @property
    def _plays_traces(self) -> bool:
        """Whether the run has random traces: they are about many rules, both operations, and create services."""
        return self.options.rules is None and not self.options.refuse_only and not self.options.operation

    def _play_plans(self, drawn: Sequence[Plan]) -> None:
        for results in self._map(lambda plan: play_plan(self.player, plan), drawn):
            for result in results:
                self._note(result)

    def _play_known(self) -> None:
        """Play what other runs have seen of this target and contract; what shows nothing any more is forgotten."""
        for case in self._archive.unmet() if self._archive else ():
            if not self._select([case], shared=False) or not self._in_layers(case):
                continue
            result = self.player.play(case)
            self._note(result)
            if self._archive and result.judgement.outcome == "passed":
                self._archive.forget(case)
        self._settle()

    def _in_layers(self, case: Case) -> bool:
        """Whether a layer that is played makes such cases: *properties* makes generated ones of other layers, too."""
        layers = self.options.layers
        return case.layer in layers or (case.is_generated and "properties" in layers)

    def _play_properties(self) -> None:
        """Play generated bodies, a round at a time; with a time, go on with other seeds until it is up."""
        options = self.options
        endless = options.seconds is not None
        pool = cache(lambda: Pool(self.player.spec, self.player.bodies))
        turns = rounds(options.seed, options.max_examples, options.shard, endless=endless)
        for number, turn in islice(enumerate(turns), self.state.rounds, None):
            if options.turns is None or number in options.turns:
                self._play_round(turn, pool)
                self._settle()
            self._play_known()
            if self._over():
                return
            self.state.rounds = number + 1
            self._commit()

    def _play_round(self, turn: Round, pool: Callable[[], Pool]) -> None:
        bodies = turn.cases(self.player.spec, pool)
        calls = (
            [] if self.options.refuse_only else crossed(self._fixtures("wire"), bodies, turn.calls, turn.seed)
        )
        cases = self._select([*bodies, *calls], shared=turn.shared)
        self._play_all("properties", [self.player.cast.rotated(case) for case in cases])
        if turn.traces and self._plays_traces:
            self._play_plans(more(stage(self.player), turn.seed, turn.traces))

    def _select(self, cases: Iterable[Case], *, shared: bool = True) -> list[Case]:
        """Return the cases to play; of those that all shards have in common, this shard's part."""
        index, of = self.options.shard if shared else (1, 1)
        chosen = [case for case in cases if zlib.crc32(case.id.encode()) % of == index - 1]
        if self.options.rules is not None:
            chosen = [case for case in chosen if case.rule in self.options.rules]
        if self.options.operation:
            chosen = [case for case in chosen if case.operation == self.options.operation]
        if self.options.refuse_only:
            chosen = [case for case in chosen if case.expect == "refuse"]
        return chosen

    def _play_all(
        self,
        layer: Layer,
        cases: Sequence[Case],
        play: Callable[[Player, Case], Result] = Player.play,
        *,
        alone: bool = False,
        in_order: bool = False,
    ) -> None:
        order = list(cases)
        if not in_order:
            random.Random(self.options.seed).shuffle(order)  # noqa: S311 - an order, not a secret
            order.sort(key=lambda case: -len(case.steps))  # so that no long trace is waited for at the end
        played = self._map(lambda case: play(self.player, case), order, alone=alone)
        for done, result in enumerate(played, 1):
            self._note(result)
            self._progress(layer, done, len(order), self._violated)

    def _map(self, play: Callable[[Any], Any], items: Sequence[Any], *, alone: bool = False) -> Iterator[Any]:
        """Play in parallel where that pays, in the order of the items; none any more once the time is up."""

        def in_time(item: Any) -> Any:
            return None if self._over() else play(item)

        width = 1 if alone or not self.player.target.concurrent else self.options.concurrency
        if width == 1:
            yield from filter(None, map(in_time, items))
            return
        with ThreadPoolExecutor(width) as pool:
            try:
                yield from filter(None, pool.map(in_time, items))
            finally:
                pool.shutdown(cancel_futures=True)

    def _note(self, result: Result) -> None:
        self._unit += 1
        if result.judgement.outcome != "violated":
            self.state.pending.note(result)
            return
        self._violated += 1
        self._held.append(result)
        if len(self._held) <= _HELD:
            self._save()
        else:  # so many are no accident, and are told as they are
            self.state.pending.note(self._held.pop())

    def _over(self) -> bool:
        return time.monotonic() >= self._ends

    def _settle(self) -> None:
        """Shorten the traces and bodies behind violations, each within a few requests."""
        while self._held:
            result = reduced(self.player, self._held[0])
            self.state.pending.note(result)
            del self._held[0]
            if self._archive:
                self._archive.keep(result.case)

    def _release(self) -> None:
        """Note the violations that could not be shortened any more."""
        while self._held:
            self.state.pending.note(self._held.pop())

    def _commit(self) -> None:
        """Count what was played as done: a resumed run goes on after it."""
        self.state.tally.merge(self.state.pending)
        self.state.pending = Tally()
        self._save()

    def _save(self) -> None:
        """Hand on the state as it is now, with the violations that are still to be shortened."""
        seconds, requests, created = self._before
        self.state.seconds = seconds + time.monotonic() - self._clock
        self.state.requests = requests + self.player.requests
        self.state.created = created + self.player.ledger.count
        self._keep(self.state.with_deviations(self._held) if self._held else self.state)


def contract_of(player: Player) -> str:
    """Return a digest of the contract that a player plays."""
    return hashlib.sha256(repr((player.spec, player.catalogue)).encode()).hexdigest()[:16]


def new_state(player: Player, options: Options) -> State:
    """Return the state of a run that has not begun."""
    return State(
        target=options.target or player.target.url,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=options.seed,
        strict=options.strict,
        shard=options.shard,
        contract=contract_of(player),
        rules=None if options.rules is None else tuple(sorted(options.rules)),
        waivers=options.waivers,
    )
