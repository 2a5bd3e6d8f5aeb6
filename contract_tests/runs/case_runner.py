"""Case runner: runs groups of cases in parallel, and hands every observation to the recorder."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from contract_tests.cases.batching import Batch
from contract_tests.cases.model import Case, Layer
from contract_tests.execution.executor import Executor
from contract_tests.execution.random_scenarios import run_scenario
from contract_tests.execution.workers import Workers
from contract_tests.generation.scenario_types import Scenario
from contract_tests.results.observation import Observation
from contract_tests.runs.options import Progress
from contract_tests.runs.recorder import Recorder

_ROUNDS = 4  # of cases that a wrong read-back ended


@dataclass(frozen=True, slots=True)
class CaseRunner:
    """Runs cases, batches and scenarios of one run; ``seed`` gives the order of the cases."""

    executor: Executor
    recorder: Recorder
    workers: Workers
    progress: Progress
    seed: int

    def run_cases(self, layer: Layer, cases: Sequence[Case]) -> None:
        """Run cases in the seed's order."""
        self.run_in_order(layer, self._shuffle(cases))

    def run_rotated(self, layer: Layer, cases: Iterable[Case]) -> None:
        """Run cases in the seed's order, each with one of the callers that can send it."""
        pool = self.executor.controls.caller_pool
        self.run_cases(layer, [pool.rotate_caller(case) for case in cases])

    def run_serially(self, layer: Layer, cases: Sequence[Case], run: Callable[[Case], Observation]) -> None:
        """Run cases in the seed's order, one at a time, by ``run``."""
        self._record(layer, self._shuffle(cases), run, serial=True)

    def run_in_order(self, layer: Layer, cases: Sequence[Case]) -> None:
        """Run cases in the given order.

        A case that a wrong read-back ended is run again without the properties that were wrong: what its later steps
        show of others is not lost.
        """
        for _ in range(_ROUNDS):
            cases = self._record(layer, cases, self.executor.run_case)

    def run_batches(self, batches: Iterable[Batch]) -> list[Case]:
        """Run batches and return the cases of those that proved nothing."""
        pool = self.executor.controls.caller_pool
        rotated = [replace(batch, case=pool.rotate_caller(batch.case)) for batch in batches]
        unproven: list[Case] = []
        for batch, observation in self.workers.run_all(self._run_batch, rotated):
            if observation.judgement.outcome != "passed":
                unproven += batch.members
                continue
            self.recorder.add_members(observation, batch.members)
        return unproven

    def run_scenarios(self, scenarios: Sequence[Scenario]) -> None:
        """Run random scenarios."""
        for observations in self.workers.run_all(lambda one: run_scenario(self.executor, one), scenarios):
            for observation in observations:
                self.recorder.add(observation)

    def _run_batch(self, batch: Batch) -> tuple[Batch, Observation]:
        return batch, self.executor.run_case(batch.case)

    def _record(
        self, layer: Layer, cases: Sequence[Case], run: Callable[[Case], Observation], *, serial: bool = False
    ) -> list[Case]:
        """Record the observation of each case; return what is left of those that a wrong read-back ended."""
        left: list[Case] = []
        pairs = self.workers.run_all(lambda case: (case, run(case)), cases, serial=serial)
        for done, (case, observation) in enumerate(pairs, 1):
            self.recorder.add(observation)
            left += _leave_out_wrong(case, observation)
            self.progress(layer, done, len(cases), self.recorder.violations)
        return left

    def _shuffle(self, cases: Sequence[Case]) -> list[Case]:
        """Return the cases in the seed's order, the longest first, so that the end waits for no long case."""
        order = list(cases)
        random.Random(self.seed).shuffle(order)  # noqa: S311 - an order, not a secret
        order.sort(key=lambda case: -len(case.steps))
        return order


def _leave_out_wrong(case: Case, observation: Observation) -> list[Case]:
    """Return the case without the properties that a read-back before its end showed wrongly, or nothing."""
    names = {name for name, _, _ in observation.judgement.differences}
    if observation.judgement.outcome != "violated" or len(observation.case.steps) == len(case.steps):
        return []
    steps = [
        replace(step, shows=tuple((name, value) for name, value in step.shows if name not in names))
        for step in case.steps
    ]
    kept = tuple(new for new, old in zip(steps, case.steps, strict=True) if new.shows or not old.shows)
    return [replace(case, steps=kept)] if kept != case.steps and any(step.shows for step in kept) else []
