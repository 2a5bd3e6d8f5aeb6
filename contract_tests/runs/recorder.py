"""Recorder: collects the observations of a run, shrinks violations, and saves checkpoints."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count

from contract_tests.cases.model import Case
from contract_tests.diagnosis.causes.attribution import needs_attribution
from contract_tests.diagnosis.diagnose import diagnose_violation
from contract_tests.diagnosis.experiments.comparison import call_inconclusive
from contract_tests.diagnosis.experiments.neighbours import find_base, list_changed
from contract_tests.diagnosis.experiments.rates import add_rate
from contract_tests.diagnosis.foreign_updates import ForeignUpdateCheck
from contract_tests.diagnosis.hook_status import HookCheck
from contract_tests.diagnosis.siblings import add_sibling
from contract_tests.diagnosis.team_labels import describe_wrong_label, find_wrong_labels, list_callers
from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.limits import BudgetSpent
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.observation import Observation
from contract_tests.runs.checkpoint import RunState
from contract_tests.runs.example_db import ExampleArchive
from contract_tests.targets.clock import RunStopped

_MAX_PENDING = 200  # violations that wait to be shrunk
_NOT_COMPARED = "refused, and not compared with an accepted request in this run"
_ACCESS_LOST = "refused when the target began to refuse all such requests"
_SAME_CRASH = "the server error of another request, and not compared with it in this run"
_WRONG_LABEL = "the callers file names the wrong team of {}, or the deployment mixes two teams"
_SEVERAL = 2  # callers
_MAX_REASONS = 3  # properties
_MAX_EXPLAINED = 40  # kinds of violations


class Recorder:
    """Records observations in a run's state; called from one thread.

    ``cases`` and ``violations`` count the observations so far. ``save_state`` receives every checkpoint, and the
    state after each new violation.
    """

    def __init__(
        self,
        executor: Executor,
        state: RunState,
        save_state: Callable[[RunState], None],
        archive: ExampleArchive | None,
        *,
        resumed: bool,
    ) -> None:
        """Continue from ``state``; what it recorded after its last checkpoint runs again."""
        self.state, self.archive = state, archive
        self.cases = 0
        self._executor, self._save_state = executor, save_state
        created = 0 if resumed else -executor.sender.created_log.count
        self._earlier = (state.seconds, state.requests, created)
        self._pending = state.take_pending()
        self._spent = 0  # requests that the shrinking took
        self._suspects: set[str] = set()  # properties of earlier violations
        self._crashes: set[tuple[str, str]] = set()  # operations and server errors that were shrunk
        self._wrong_labels: dict[str, str] | None = None  # None until a violation of several callers is seen
        self._checks = (HookCheck(executor), ForeignUpdateCheck(executor))
        self.violations = len(state.committed.deviations)
        self._started = time.monotonic()

    def restart_clock(self) -> None:
        """Measure the run's time from now on."""
        self._started = time.monotonic()

    def add(self, observation: Observation, *, independent: bool = True) -> None:
        """Record an observation; a violation waits until it can be shrunk."""
        self.cases += 1
        if observation.judgement.outcome != "violated":
            self.state.pending.add(observation, independent=independent)
            return
        self.violations += 1
        self._pending.append(observation)
        self._check_labels(observation)
        if len(self._pending) <= _MAX_PENDING:
            self.save()
        else:  # so many violations are not shrunk
            self._add_unshrunk(self._pending.pop())

    def add_members(self, observation: Observation, members: Iterable[Case]) -> None:
        """Record a batch that passed as an observation of each case in it."""
        rules: set[str] = set()
        for member in members:
            judgement = replace(observation.judgement, rule=member.rule)
            one = replace(observation, case=member, judgement=judgement)
            self.add(one, independent=member.rule not in rules)
            rules.add(member.rule)

    def shrink_pending(self, limit: int | None = None) -> None:
        """Shrink the violations that wait, each within a few requests.

        Those that are left once the shrinking of this run took ``limit`` requests wait on.
        """
        while self._pending and (limit is None or self._spent < limit):
            before = self._executor.sender.requests
            self._check_labels(self._pending[0])  # of the part that a run continues
            observation = self._excuse(self._pending[0])
            if observation.judgement.outcome == "violated":
                observation = self._excuse(diagnose_violation(self._executor, observation, self._suspects))
            self.state.pending.add(observation)
            del self._pending[0]
            if observation.judgement.server_error:
                self._crashes.add(_name_crash(observation))
            self._spent += self._executor.sender.requests - before
            if observation.case.value:
                self._suspects |= {
                    observation.case.value[2],
                    *_list_reasons(self._executor, observation.case),
                }
            if self.archive and observation.judgement.outcome == "violated":
                self.archive.save_case(observation.case)

    def _check_labels(self, observation: Observation) -> None:
        """Ask once, at the first violation of several callers, whether the callers file names their teams rightly.

        At once, since later no service may be left that could show it.
        """
        if self._wrong_labels is not None or len(list_callers(observation)) < _SEVERAL:
            return
        try:
            self._wrong_labels = find_wrong_labels(self._executor)
        except (BudgetSpent, RunStopped):
            return
        named = (describe_wrong_label(name, shown) for name, shown in self._wrong_labels.items())
        self.state.wrong_labels = tuple(dict.fromkeys((*self.state.wrong_labels, *named)))

    def _excuse(self, observation: Observation) -> Observation:
        """Return a violation as inconclusive if a check explains it, or if the callers file names a wrong team."""
        if reason := next(filter(None, (check.explain(observation) for check in self._checks)), ""):
            return call_inconclusive(observation, reason)
        callers = list_callers(observation)
        wrong = sorted(callers.intersection(self._wrong_labels or ()))
        if not wrong or len(callers) < _SEVERAL or observation.judgement.outcome != "violated":
            return observation
        return call_inconclusive(observation, _WRONG_LABEL.format(" and ".join(wrong)))

    def explain_deviations(self) -> None:
        """Find the nearest request that behaved and the rate, for one observation of each kind of violation."""
        left = count(_MAX_EXPLAINED, -1)

        def update(observation: Observation) -> Observation:
            done = bool(observation.line) or next(left) <= 0
            return observation if done else self._explain(observation)

        for aggregate in (self.state.committed, self.state.pending):
            aggregate.update_deviations(update)

    def _explain(self, observation: Observation) -> Observation:
        return add_rate(self._executor, add_sibling(self._executor, observation))

    def flush_pending(self) -> None:
        """Record the violations that could not be shrunk any more."""
        while self._pending:
            self._add_unshrunk(self._pending.pop())

    def _add_unshrunk(self, observation: Observation) -> None:
        """Record a violation as it is, or as inconclusive where one that is not shrunk proves nothing."""
        crashed = observation.judgement.server_error and observation.case.layer == "properties"
        reason = _NOT_COMPARED if needs_attribution(observation) else ""
        if observation.judgement.reaction == "refused" and self._executor.sender.has_lost_access:
            reason = _ACCESS_LOST
        if crashed and _name_crash(observation) in self._crashes:
            reason = _SAME_CRASH
        observation = self._excuse(observation)
        self.state.pending.add(call_inconclusive(observation, reason) if reason else observation)

    def commit_checkpoint(self) -> None:
        """Count everything recorded so far as done: a resumed run continues after it."""
        self.state.committed.merge(self.state.pending)
        self.state.pending = Aggregate()
        self.save()

    def save(self) -> None:
        """Save the current state, with the violations that still wait."""
        seconds, requests, created = self._earlier
        self.state.seconds = seconds + time.monotonic() - self._started
        self.state.requests = requests + self._executor.sender.requests
        self.state.created = created + self._executor.sender.created_log.count
        self._save_state(self.state.with_pending(self._pending) if self._pending else self.state)


def _name_crash(observation: Observation) -> tuple[str, str]:
    return observation.case.operation, observation.judgement.received


def _list_reasons(executor: Executor, case: Case) -> list[str]:
    """Return the properties of a shrunk body that make the difference, if they are few."""
    if not isinstance(case.steps[-1].body, dict):
        return []
    changed = list_changed(case, find_base(executor, case))
    return changed if len(changed) <= _MAX_REASONS else []
