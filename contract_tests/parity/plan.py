"""The requests of a comparison: cases of every rule in turn, random scenarios, generated bodies without end."""

import random
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache

from contract_tests.cases.building.boundaries import derive_cases, select_new_cases
from contract_tests.cases.building.company import add_company
from contract_tests.cases.building.scenarios import build_scenario_cases
from contract_tests.cases.building.two_faults import build_two_fault_cases
from contract_tests.cases.model import Case
from contract_tests.cases.tables import load_fixture_cases
from contract_tests.execution.controls.accepted_values import find_accepted_values, list_offered_values
from contract_tests.execution.executor import Executor
from contract_tests.execution.random_scenarios import load_scenarios, read_capabilities, walk_more_scenarios
from contract_tests.generation.body_mutation import ValuePool
from contract_tests.generation.request_variants import vary_requests
from contract_tests.generation.rounds import GATE_EXAMPLES, Round, plan_rounds
from contract_tests.generation.scenario_types import Scenario

Work = Case | Scenario

_CASES_PER_SCENARIO = 20


def plan_work(executor: Executor, seed: int) -> Iterator[Work]:
    """Yield cases and scenarios without end; the first ones try every rule, and ``seed`` draws the rest."""
    rounds = plan_rounds(seed, GATE_EXAMPLES, (1, 1), endless=True)
    tables = load_fixture_cases(executor.catalogue)
    build = _RoundBuilder(executor, tables)
    first = [*_build_cases(executor, tables), *build.list_cases(next(rounds))]
    pool = executor.controls.caller_pool
    scenarios = load_scenarios(read_capabilities(executor), seed)
    yield from _mix(scenarios, take_turns([pool.rotate_caller(case) for case in first], seed))
    for round_ in rounds:
        cases = [pool.rotate_caller(case) for case in build.list_cases(round_)]
        more = walk_more_scenarios(read_capabilities(executor), round_.seed, round_.scenario_count)
        yield from _mix(more, take_turns(cases, round_.seed))


class _RoundBuilder:
    """Builds the cases of a round: generated bodies, and variants of requests with them."""

    def __init__(self, executor: Executor, tables: Iterable[Case]) -> None:
        self._spec = executor.sender.spec
        self._open_pool = cache(lambda: ValuePool(self._spec, executor.controls.bodies))
        self._tables = [case for case in tables if case.layer == "wire"]

    def list_cases(self, round_: Round) -> list[Case]:
        """Return the cases of a round."""
        bodies = round_.build_cases(self._spec, self._open_pool)
        variants = vary_requests(self._tables, bodies, round_.variant_count, round_.seed)
        return [*bodies, *variants]


def _build_cases(executor: Executor, tables: list[Case]) -> Iterator[Case]:
    """Yield the cases of the gate, without those that race or repeat others, and requests with two faults."""
    controls = executor.controls
    offered, accepted = list_offered_values(controls), find_accepted_values(controls)
    derived = select_new_cases(
        derive_cases(executor.sender.spec, executor.catalogue, controls.bodies), tables
    )
    values = [case for case in (*tables, *derived) if case.layer == "cases"]
    yield from add_company(values, controls.bodies, accepted)
    yield from (case for case in tables if case.layer in ("wire", "lifecycle"))
    yield from build_scenario_cases(controls.caller_pool, controls.bodies, offered, accepted or offered)
    yield from build_two_fault_cases(controls.bodies)


def take_turns(cases: Iterable[Case], seed: int) -> Iterator[Case]:
    """Yield the cases of every rule and of every choice in turn, in an order of the seed.

    So a part of them tries each rule and each choice.
    """
    shuffled = list(cases)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order, not a secret
    by_subject: dict[str, deque[Case]] = {}
    for case in shuffled:
        by_subject.setdefault(case.steps[-1].choice or case.rule, deque()).append(case)
    queues = deque(by_subject.values())
    while queues:
        queue = queues.popleft()
        yield queue.popleft()
        if queue:
            queues.append(queue)


def _mix(scenarios: Iterable[Scenario], cases: Iterator[Case]) -> Iterator[Work]:
    """Yield a scenario after every few cases, then what is left."""
    for scenario in scenarios:
        yield from (case for _, case in zip(range(_CASES_PER_SCENARIO), cases, strict=False))
        yield scenario
    yield from cases
