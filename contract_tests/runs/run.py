"""One run: preflight, the layers in their order, and the report."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from contract_tests.cases.model import LAYERS, Layer
from contract_tests.contract.rules import Catalogue
from contract_tests.execution.executor import Executor
from contract_tests.execution.preflight.run import PreflightResult, apply_preflight, run_preflight
from contract_tests.execution.sending.limits import BudgetSpent, TargetGone
from contract_tests.execution.sending.sender import MAX_TRAFFIC
from contract_tests.execution.workers import Workers
from contract_tests.results.verdict import STOPPED_AFTER, Report
from contract_tests.runs.case_runner import CaseRunner
from contract_tests.runs.checkpoint import RunState
from contract_tests.runs.example_db import ExampleArchive
from contract_tests.runs.layers import LayerRunner
from contract_tests.runs.options import Progress, RunOptions, format_duration
from contract_tests.runs.planned_run import PlannedRun
from contract_tests.runs.recorder import Recorder
from contract_tests.targets.clock import RunStopped


@dataclass(frozen=True, slots=True)
class RunHooks:
    """Connections of a run to its surroundings; all are optional.

    ``progress`` is called after every case, ``save_state`` with each checkpoint and after each new violation.
    ``archive`` holds the deviations that other runs saw; ``preflight`` is the result of an earlier preflight.
    ``end`` is called when nothing is left to be sent.
    """

    progress: Progress = lambda *_: None
    save_state: Callable[[RunState], None] = lambda _: None
    archive: ExampleArchive | None = None
    preflight: PreflightResult | None = None
    end: Callable[[], None] = lambda: None


class Run:
    """Runs the layers against one target; Ctrl-C and a lost target end it with a report of what was seen."""

    def __init__(
        self,
        executor: Executor,
        options: RunOptions,
        hooks: RunHooks | None = None,
        *,
        state: RunState | None = None,
    ) -> None:
        """Prepare a run; ``state`` is that of an earlier run to continue."""
        self.executor, self.options, self._hooks = executor, options, hooks or RunHooks()
        self.state = state or create_state(executor, options)
        self.recorder = Recorder(
            executor, self.state, self._hooks.save_state, self._hooks.archive, resumed=state is not None
        )
        width = options.concurrency if executor.sender.target.concurrent else 1
        self._clock = executor.sender.target.clock
        self._workers = workers = Workers(width, self._clock)
        runner = CaseRunner(executor, self.recorder, workers, self._hooks.progress, options.seed)
        self.layers = LayerRunner(executor, options, self.recorder, runner)
        self._planned = PlannedRun(executor, options, self.recorder, workers) if options.budget else None

    @property
    def catalogue(self) -> Catalogue:
        """The rules."""
        return self.executor.catalogue

    def execute(self) -> Report:
        """Run everything that is left and return the report; raise CannotJudge if the preflight fails."""
        self.recorder.restart_clock()
        self._clock.start(self.options.seconds)
        ready = self._hooks.preflight or run_preflight(self.executor, self._workers)
        use_preflight(self.executor, self.recorder, ready, self.options)
        self.recorder.save()  # a run that is killed in its first round can be resumed, too
        self.state.cut_short = self._run_layers()
        self._hooks.end()
        self.state.finished = True
        self.recorder.save()
        self._add_notes()
        left_out = self._planned.rules_left_out if self._planned else frozenset()
        return self.state.build_report(self.catalogue, self.executor.sender.traffic, left_out)

    def report_unjudged(self, reason: str) -> Report:
        """Return the report of a run that ended before it judged anything, and save its state."""
        self.state.cut_short = reason
        self.recorder.save()
        report = self.state.build_report(self.catalogue, self.executor.sender.traffic)
        return replace(report, expired=())  # the run fails for another reason

    def _add_notes(self) -> None:
        archive = self._hooks.archive
        if archive and archive.problem:
            self.state.notes += (archive.problem,)
        if self._planned:
            self.state.notes += (self._planned.describe(),)
        if (spans := self.executor.sender.spans) and (problem := spans.close()):
            self.state.notes += (problem,)
        if busy := self._clock.busy:
            times = "once" if busy == 1 else f"{busy:,} times"
            self.state.notes += (
                f"the target was too busy (429 or 503) {times}; these requests were sent again",
            )
        if self.executor.late_reads.count:
            self.state.notes += (self.executor.late_reads.describe(),)
        if self.executor.sender.requests > MAX_TRAFFIC:
            self.state.notes += (f"traffic.har has the last {MAX_TRAFFIC} requests only",)

    def _run_layers(self) -> str:
        """Run the selected layers and return why the run ended early, or an empty string."""
        try:
            self._send_cases()
            self.recorder.explain_deviations()
        except KeyboardInterrupt:
            self._clock.stop()
            return "interrupted"
        except BudgetSpent:
            return ""  # as the user wants it
        except RunStopped:
            return self._explain_end()
        except TargetGone as gone:
            return f"the target {gone}"
        except Exception as error:  # the observations so far are worth more than a traceback
            return describe_error(error)
        finally:
            self.recorder.flush_pending()
        return self._explain_end() if self._clock.is_time_up() else ""

    def _explain_end(self) -> str:
        asked = self.options.asked_seconds or self.options.seconds or 0
        return f"{STOPPED_AFTER} {format_duration(asked)} as asked"

    def _send_cases(self) -> None:
        """Send what other runs saw, the plan of a budget, the layers, and repeats for more confidence."""
        budget = self.executor.sender.request_budget
        self.recorder.shrink_pending()
        self.layers.run_known_cases()
        if self._planned:
            self._planned.run()
            self.layers.done.update(self._planned.done)
            self.recorder.explain_deviations()
            self.recorder.shrink_pending()
        for layer in LAYERS:
            if layer in self.options.layers and layer not in self.state.done_layers and not budget.is_spent:
                self._run_layer(layer)
        if self.options.min_tries and not budget.is_spent:
            self.layers.run_repeats()
            self.recorder.shrink_pending()

    def _run_layer(self, layer: Layer) -> None:
        sender, cases = self.executor.sender, self.recorder.cases
        started, requests = time.monotonic(), sender.requests
        try:
            self.layers.run_layer(layer)
            self.recorder.shrink_pending()
            if not self._clock.is_time_up():
                self.state.done_layers.append(layer)
                self.recorder.commit_checkpoint()
        finally:
            seconds = time.monotonic() - started
            self.state.add_layer(layer, self.recorder.cases - cases, sender.requests - requests, seconds)
            self.recorder.save()


def use_preflight(
    executor: Executor, recorder: Recorder, ready: PreflightResult, options: RunOptions
) -> None:
    """Let the executor use what a preflight found, and record it."""
    apply_preflight(executor, ready)
    recorder.state.callers = tuple(caller.name for caller in ready.caller_pool.callers)
    recorder.state.notes, recorder.state.unusable_callers = ready.notes, ready.unusable_callers
    for observation in options.select_observations(ready.observations):
        recorder.add(observation)


def describe_error(error: Exception) -> str:
    """Return in one line why an error ended a run."""
    if isinstance(error, OSError) and error.filename:  # nothing is created that cannot be logged
        return f"{error.filename} could not be opened or written any more: {error.strerror}"
    return f"an error of the suite, please report it: {type(error).__name__}: {error}"


def digest_contract(executor: Executor) -> str:
    """Return a digest of the executor's contract."""
    return hashlib.sha256(repr((executor.sender.spec, executor.catalogue)).encode()).hexdigest()[:16]


def create_state(executor: Executor, options: RunOptions) -> RunState:
    """Return the state of a run that has not started."""
    return RunState(
        target=options.target or executor.sender.target.url,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=options.seed,
        strict=options.strict,
        shard=options.shard,
        contract=digest_contract(executor),
        rules=None if options.rules is None else tuple(sorted(options.rules)),
        waivers=options.waivers,
        min_judged=options.min_judged,
        command_options={"refuse_only": options.refuse_only},
    )
