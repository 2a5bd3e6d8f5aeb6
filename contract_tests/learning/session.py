"""Learning from the preflight to the report, which is that of a run with the rules that the words are about."""

from dataclasses import replace

from contract_tests.execution.executor import Executor
from contract_tests.execution.preflight.run import run_preflight
from contract_tests.learning.learner import Learnt, learn
from contract_tests.results.verdict import Report
from contract_tests.runs.checkpoint import RunState
from contract_tests.runs.options import RunOptions
from contract_tests.runs.recorder import Recorder
from contract_tests.runs.run import create_state, use_preflight


def learn_target(executor: Executor, options: RunOptions) -> tuple[Learnt, Report]:
    """Learn the states of a target; raise CannotJudge if the preflight fails."""
    executor.sender.target.clock.start(options.seconds)
    state = create_state(executor, options)
    recorder = Recorder(executor, state, lambda _: None, None, resumed=False)
    use_preflight(executor, recorder, run_preflight(executor), options)
    learnt = learn(executor, recorder, options.seed)
    recorder.flush_pending()
    state.add_layer("lifecycle", learnt.words, learnt.requests, learnt.seconds)
    state.cut_short, state.finished = learnt.cut_short, True
    recorder.save()
    return learnt, _build_report(executor, state)


def _build_report(executor: Executor, state: RunState) -> Report:
    """Return the report on the rules that the words are about."""
    report = state.build_report(executor.catalogue, executor.sender.traffic)
    tried = tuple(row for row in report.verdicts if any(map(bool, row.layers.values())))
    return replace(report, verdicts=tried)
