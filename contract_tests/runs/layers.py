"""Layers of a run: which cases each of them runs, and in which order."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

from contract_tests.cases.batching import batch_cases
from contract_tests.cases.building.boundaries import derive_cases, select_new_cases
from contract_tests.cases.building.company import add_company
from contract_tests.cases.building.scenarios import build_scenario_cases
from contract_tests.cases.callers import CallerPool
from contract_tests.cases.model import Case, Layer
from contract_tests.cases.repeats import repeat_cheap_cases, repeat_rare_cases, repeat_refusals
from contract_tests.cases.tables import load_fixture_cases
from contract_tests.execution.controls.accepted_values import find_accepted_values, list_offered_values
from contract_tests.execution.executor import Executor
from contract_tests.execution.race import build_race_cases, run_race
from contract_tests.execution.random_scenarios import load_scenarios, read_capabilities, walk_more_scenarios
from contract_tests.generation.body_mutation import ValuePool
from contract_tests.generation.request_variants import vary_requests
from contract_tests.generation.rounds import Round, plan_rounds
from contract_tests.results.verdict import DECIDING_EXPECTATIONS
from contract_tests.runs.case_runner import CaseRunner
from contract_tests.runs.options import RunOptions
from contract_tests.runs.recorder import Recorder


@dataclass(frozen=True, slots=True)
class LayerRunner:
    """Runs the layers of one run; ``done`` holds the ids of cases that a plan has sent already."""

    executor: Executor
    options: RunOptions
    recorder: Recorder
    runner: CaseRunner
    done: set[str] = field(default_factory=set)

    def run_layer(self, layer: Layer) -> None:
        """Run one layer, until it is done or the time is up."""
        runners: dict[Layer, Callable[[], None]] = {
            "cases": self._run_cases_layer,
            "wire": self._run_wire_layer,
            "lifecycle": self._run_lifecycle_layer,
            "race": self._run_race_layer,
            "properties": self._run_properties_layer,
        }
        runners[layer]()

    def run_known_cases(self) -> None:
        """Run the cases in which other runs saw a deviation; delete those that pass now."""
        archive, options = self.recorder.archive, self.options
        for case in archive.iter_pending() if archive else ():
            if not options.select_cases([case], shared=False) or not options.includes_layer_of(case):
                continue
            observation = self.executor.run_case(case)
            self.recorder.add(observation)
            if archive and observation.judgement.outcome == "passed":
                archive.delete_case(case)
        self.recorder.shrink_pending()

    def run_round(self, round_: Round, open_pool: Callable[[], ValuePool]) -> None:
        """Run one round of generated bodies, request variants and random scenarios."""
        bodies = round_.build_cases(self.executor.sender.spec, open_pool)
        variants: Iterable[Case] = ()
        if not self.options.refuse_only:
            tables = self._load_tables("wire")
            variants = vary_requests(tables, bodies, round_.variant_count, round_.seed)
        cases = self.options.select_cases([*bodies, *variants], shared=round_.shared)
        self.runner.run_rotated("properties", cases)
        if round_.scenario_count and self.options.has_random_scenarios:
            capabilities = read_capabilities(self.executor)
            self.runner.run_scenarios(walk_more_scenarios(capabilities, round_.seed, round_.scenario_count))

    def run_repeats(self) -> None:
        """Repeat cheap cases of each rule until it has enough tries, or this shard's part of them.

        In the seed's order, since a target with a period must not meet the same case each time.
        """
        catalogue, state, options = self.executor.catalogue, self.recorder.state, self.options
        tries = state.committed.tries + state.pending.tries
        bodies = self.executor.controls.bodies
        tables = [
            case for case in load_fixture_cases(catalogue) if case.layer in ("cases", "wire", "lifecycle")
        ]
        derived = select_new_cases(derive_cases(self.executor.sender.spec, catalogue, bodies), tables)
        deciding = {rule: DECIDING_EXPECTATIONS[catalogue[rule].kind] for rule in catalogue}
        able = [
            case
            for case in (*tables, *derived)
            if case.expect in deciding[case.rule] and options.includes_layer_of(case)
        ]
        mine = options.select_cases(able)
        of_all, of_mine = (Counter(case.rule for case in cases) for cases in (able, mine))
        missing = {
            rule: math.ceil(options.min_tries * number / of_all[rule])
            - sum(tries[rule, expectation] for expectation in deciding[rule])
            for rule, number in of_mine.items()
        }
        self.executor.sender.target.reconnect()
        self.runner.run_cases("wire", repeat_cheap_cases(mine, self._pool, missing))

    def _run_cases_layer(self) -> None:
        tables = self._load_tables("cases")
        bodies = self.executor.controls.bodies
        derived = derive_cases(self.executor.sender.spec, self.executor.catalogue, bodies)
        accepted = find_accepted_values(self.executor.controls)
        every = add_company([*tables, *select_new_cases(derived, tables)], bodies, accepted)
        batches, single = batch_cases(self._select_cases(every))
        unproven = self.runner.run_batches(batches)
        self.runner.run_rotated("cases", [*single, *unproven])
        self._repeat("cases", repeat_refusals(single, self._pool))

    def _run_wire_layer(self) -> None:
        cases = self._select_cases(self._load_tables("wire"))
        self.runner.run_rotated("wire", cases)
        self._repeat("wire", repeat_refusals(cases, self._pool))

    def _run_lifecycle_layer(self) -> None:
        controls = self.executor.controls
        offered, accepted = list_offered_values(controls), find_accepted_values(controls)
        scenarios = build_scenario_cases(controls.caller_pool, controls.bodies, offered, accepted or offered)
        cases = self._select_cases([*self._load_tables("lifecycle"), *scenarios])
        self.runner.run_rotated("lifecycle", cases)
        self._repeat("lifecycle", repeat_rare_cases(cases, self._pool))
        if self.options.has_random_scenarios:
            seed = self.options.seed + self.options.shard[0] - 1
            self.runner.run_scenarios(load_scenarios(read_capabilities(self.executor), seed))

    def _run_race_layer(self) -> None:
        cases = self.options.select_cases(build_race_cases())
        self.runner.run_serially("race", cases, lambda case: run_race(self.executor, case))

    def _run_properties_layer(self) -> None:
        """Run generated bodies round by round; with a time limit, continue with new seeds until it is over."""
        options, state = self.options, self.recorder.state
        open_pool = cache(lambda: ValuePool(self.executor.sender.spec, self.executor.controls.bodies))
        endless = options.seconds is not None
        planned = plan_rounds(options.seed, options.max_examples, options.shard, endless=endless)
        for index, round_ in islice(enumerate(planned), state.rounds, None):
            if options.round_indices is None or index in options.round_indices:
                self.run_round(round_, open_pool)
                self.recorder.shrink_pending()
            self.run_known_cases()
            if self.runner.workers.clock.is_time_up():
                return
            state.rounds = index + 1
            self.recorder.commit_checkpoint()

    def _repeat(self, layer: Layer, cases: Sequence[Case]) -> None:
        """Run repeats over new connections: one connection may lead to one of several instances only."""
        self.executor.sender.target.reconnect()
        self.runner.run_in_order(layer, cases)

    @property
    def _pool(self) -> CallerPool:
        return self.executor.controls.caller_pool  # it changes while a run learns which callers name a team

    def _select_cases(self, cases: Iterable[Case]) -> list[Case]:
        return [case for case in self.options.select_cases(cases) if case.id not in self.done]

    def _load_tables(self, layer: Layer) -> list[Case]:
        return [case for case in load_fixture_cases(self.executor.catalogue) if case.layer == layer]
