"""The planned part of a run with a budget: the units that tell most come first, until every request is spent."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from contract_tests.execution.executor import Executor
from contract_tests.execution.workers import Workers
from contract_tests.planning.plan import Plan, load_plan
from contract_tests.planning.units import AcceptedCompany, Unit, build_units
from contract_tests.results.observation import Observation
from contract_tests.runs.options import RunOptions
from contract_tests.runs.recorder import Recorder

_SHRINKING = 4  # a violation is shrunk at once until that took a quarter of the budget


@dataclass(slots=True)
class PlannedRun:
    """Sends the units of the plan; ``done`` holds the ids of the cases that later layers need not repeat.

    ``left_out`` holds the units that the budget did not reach.
    """

    executor: Executor
    options: RunOptions
    recorder: Recorder
    workers: Workers
    plan: Plan = field(default_factory=load_plan)
    done: set[str] = field(default_factory=set)
    sent: int = 0
    left_out: list[Unit] = field(default_factory=list)
    _waiting: deque[Unit] = field(default_factory=deque)

    def run(self) -> None:
        """Send units until one deviates, and shrink that before the next, while requests are left for it."""
        company = AcceptedCompany(self.executor.controls.bodies)
        units = [
            unit for unit in self.plan.order_units(build_units(self.executor)) if self._is_selected(unit)
        ]
        self._waiting.extend(self._record_unsendable(units))
        self.left_out = list(self._waiting)
        while self._waiting and self._can_afford_more():
            for unit, observation in self.workers.run_ready(self._run_unit, self._take_units(company)):
                self.sent += "." not in unit.id.rpartition("/")[2]  # a half of a batch is no unit of the plan
                self.left_out = [left for left in self.left_out if left.id != unit.id]
                company.observe(observation)
                self._waiting.extendleft(reversed(self._record(unit, observation)))
            self.recorder.shrink_pending((self.options.budget or 0) // _SHRINKING)

    def _run_unit(self, unit: Unit) -> tuple[Unit, Observation]:
        return unit, unit.run(self.executor)

    def _take_units(self, company: AcceptedCompany) -> Iterator[Unit]:
        """Yield the next units until there is a new violation."""
        violations = self.recorder.violations
        while self._waiting and self.recorder.violations == violations and self._can_afford_more():
            unit = self._waiting.popleft()
            if self._tells_more(unit):
                yield company.limit(unit)

    def _record_unsendable(self, units: list[Unit]) -> list[Unit]:
        """Record why units cannot be sent without a control hook, which takes no request; return the others."""
        sendable: list[Unit] = []
        for unit in units:
            needs_hook = any(step.operation == "setStatus" for step in unit.case.steps)
            if needs_hook and self.executor.hook is None:
                self._record(unit, unit.run(self.executor))
            else:
                sendable.append(unit)
        return sendable

    @property
    def rules_left_out(self) -> frozenset[str]:
        """The rules of which the budget left out a case."""
        return frozenset(case.rule for unit in self.left_out for case in unit.members or (unit.case,))

    def _can_afford_more(self) -> bool:
        """Return whether requests are left; a tenth is kept to explain violations, once there are any."""
        reserve = (self.options.budget or 0) // 10 if self.recorder.violations else 0
        left = self.executor.sender.request_budget.left
        return left is None or left > reserve

    def describe(self) -> str:
        """Return what the run saw of the plan, and what a larger budget would add."""
        plan, budget, sent = self.plan, self.options.budget or 0, self.sent
        others = max(0, self.executor.sender.requests - sum(unit.requests for unit in plan.units[:sent]))
        larger = [size for size in (2 * budget, 4 * budget) if sent < len(plan.units)]
        shares = [
            f"{plan.share_found(plan.count_affordable(size - others)):.0%} with {size}" for size in larger
        ]
        more = f", of which a run sees {' and '.join(shares)} requests" if shares else ""
        seen = f"{plan.share_found(sent):.0%} of the {plan.faults:,} faults that the plan is learnt from"
        return (
            f"--budget {budget}: {sent} of {len(plan.units)} planned cases were sent; they see {seen}{more}"
        )

    def _record(self, unit: Unit, observation: Observation) -> list[Unit]:
        """Record what a unit shows; return the halves of a batch that proved nothing."""
        seconds = sum(exchange.seconds for exchange in observation.exchanges)
        layer, cases = unit.case.layer, len(unit.members) or 1
        self.recorder.state.add_layer(layer, cases, len(observation.exchanges), seconds)
        if not unit.members:
            self.recorder.add(observation)
            self.done.add(unit.id)
            return []
        if observation.judgement.outcome != "passed":
            return unit.split()
        self.recorder.add_members(observation, unit.members)
        self.done |= {member.id for member in unit.members}
        return []

    def _is_selected(self, unit: Unit) -> bool:
        cases = unit.members or (unit.case,)
        layer = unit.case.layer in self.options.layers
        return layer and len(self.options.select_cases(cases, shared=False)) == len(cases)

    def _tells_more(self, unit: Unit) -> bool:
        """Return whether the rule of a unit is not known to be broken."""
        broken = {kind[0] for kind in self.recorder.state.pending.deviations}
        return bool(unit.members) or unit.case.rule not in broken
