"""One run: preflight, the layers in their order, and the report."""

import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from contract_tests.case import LAYERS, Case, Layer
from contract_tests.catalogue import Catalogue
from contract_tests.derive import derived_cases, fresh
from contract_tests.fixtures import fixture_cases
from contract_tests.packs import Pack, packed
from contract_tests.player import Player, Result, TargetGone
from contract_tests.preflight import preflight
from contract_tests.race import play_race, race_cases
from contract_tests.reduce import reduced
from contract_tests.traces import directed
from contract_tests.verdict import LayerSummary, Report, verdicts
from contract_tests.waivers import Waiver

_TRACES, _TRACE_STEPS = 8, 10
_FEW = 5
GATE_EXAMPLES = 10  # random bodies per operation and mode; with more, Schemathesis' coverage phase joins in


@dataclass(frozen=True, slots=True)
class Options:
    """What to run and how far to go.

    ``target`` is the name that the user gave it; ``seconds`` and ``max_examples`` bound the run and its random part.
    """

    target: str = ""
    layers: tuple[Layer, ...] = LAYERS
    strict: bool = False
    seed: int = 0
    max_examples: int = GATE_EXAMPLES
    seconds: float | None = None
    concurrency: int = 8
    refuse_only: bool = False
    rules: frozenset[str] | None = None
    shard: tuple[int, int] = (1, 1)
    waivers: dict[str, Waiver] = field(default_factory=dict)


Progress = Callable[[Layer, int, int, int], None]  # layer, cases done, cases in all, findings so far


class Run:
    """Plays the layers against one target. Ctrl-C and a target that is gone end it with what was seen."""

    def __init__(self, player: Player, options: Options, progress: Progress = lambda *_: None) -> None:
        """``progress`` is called after every case."""
        self.player, self.options, self._progress = player, options, progress
        self.results: list[Result] = []
        self._layers: dict[Layer, LayerSummary] = {}
        self._violated = 0
        self._ends = float("inf")

    @property
    def catalogue(self) -> Catalogue:
        """The rules."""
        return self.player.catalogue

    def report(self) -> Report:
        """Play everything and return the report; CannotJudge where the preflight fails."""
        started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
        if self.options.seconds is not None:
            self._ends = time.monotonic() + self.options.seconds
        ready = preflight(self.player)
        self.player.cast, self.player.readback = ready.cast, ready.readback
        cut_short = self._play_layers()
        rows, found = verdicts(self.results, self.catalogue, self.options.waivers, strict=self.options.strict)
        return Report(
            target=self.options.target or self.player.target.url,
            started=started,
            seconds=round(time.perf_counter() - clock, 3),
            seed=self.options.seed,
            strict=self.options.strict,
            callers=tuple(caller.name for caller in ready.cast.callers),
            verdicts=tuple(r for r in rows if self.options.rules is None or r.rule.id in self.options.rules),
            findings=found,
            layers=self._layers,
            requests=self.player.requests,
            created=self.player.ledger.count,
            notes=ready.notes,
            cut_short=cut_short,
            expired=tuple(w for w in self.options.waivers.values() if w.expired),
            traffic=tuple(self.player.traffic),
        )

    def _play_layers(self) -> str:
        plan: dict[Layer, Callable[[], None]] = {
            "cases": lambda: self._play_cases(self._select(self._cases())),
            "wire": self._play_wire,
            "lifecycle": self._play_lifecycle,
            "race": lambda: self._play_all("race", self._select(race_cases()), play_race, alone=True),
            "properties": self._play_properties,
        }
        try:
            for layer in LAYERS:
                if layer in self.options.layers:
                    self._play_layer(layer, plan[layer])
            self._reduce()
        except KeyboardInterrupt:
            return "interrupted"
        except TargetGone as gone:
            return f"the target stopped answering: {gone}"
        except Exception as error:  # what was seen so far is worth more than a traceback
            return f"an error of the suite, please report it: {type(error).__name__}: {error}"
        return "the time is up" if self._over() else ""

    def _play_layer(self, layer: Layer, play: Callable[[], None]) -> None:
        clock, before, done = time.perf_counter(), self.player.requests, len(self.results)
        try:
            play()
        finally:
            self._layers[layer] = LayerSummary(
                len(self.results) - done, self.player.requests - before, time.perf_counter() - clock
            )

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
        if self.options.rules is None and not self.options.refuse_only:
            # Hypothesis, which the other layers do without.
            from contract_tests.machine import Context, explore, roles

            if parts := roles(self.player.cast):
                context = Context(self.player, parts, self._note, self._over)
                explore(context, self.options.seed + self.options.shard[0] - 1, _TRACES, _TRACE_STEPS)

    def _play_properties(self) -> None:
        """Play generated bodies; with a time, go on with other seeds until it is up."""
        from contract_tests.properties import property_cases  # the other layers do without

        for seed, examples, coverage in self._rounds():
            cases = property_cases(self.player.spec, seed, examples, coverage=coverage)
            self._play_all("properties", [self.player.cast.rotated(case) for case in self._select(cases)])
            if self._over():
                return

    def _rounds(self) -> Iterator[tuple[int, int, bool]]:
        """Yield what to generate, in turn: (seed, examples, coverage phase)."""
        options = self.options
        yield options.seed, options.max_examples, False
        if options.seconds is not None or options.max_examples > GATE_EXAMPLES:
            yield options.seed, 0, True
        if options.seconds is not None:
            yield from ((seed, options.max_examples, False) for seed in count(options.seed + 1))

    def _select(self, cases: Iterable[Case]) -> list[Case]:
        index, of = self.options.shard
        chosen = [case for case in cases if zlib.crc32(case.id.encode()) % of == index - 1]
        if self.options.rules is not None:
            chosen = [case for case in chosen if case.rule in self.options.rules]
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
        self.results.append(result)
        self._violated += result.judgement.outcome == "violated"

    def _over(self) -> bool:
        return time.monotonic() >= self._ends

    def _reduce(self) -> None:
        """Shorten the traces and bodies behind violations, each within a few requests."""
        self.results = [
            reduced(self.player, r) if r.judgement.outcome == "violated" else r for r in self.results
        ]
