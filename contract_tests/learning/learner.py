"""The learner: sends words of symbols, judges each response by the contract, and learns the states from the statuses.

Each word begins with a slug and a service of its own, so nothing has to be reset. A word is judged until the target
and the contract part; what follows is only learnt from.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from aalpy.base import SUL
from aalpy.learning_algs import run_Lsharp
from aalpy.oracles import ProvidedSequencesOracleWrapper, StatePrefixEqOracle

from contract_tests.cases.model import Case, Step
from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.context import CannotRun, CaseContext
from contract_tests.execution.sending.limits import TargetGone
from contract_tests.learning.machine import Machine, Transition
from contract_tests.learning.symbols import ContractState, build_step, list_symbols, list_words
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation
from contract_tests.runs.recorder import Recorder
from contract_tests.runs.run import describe_error
from contract_tests.targets.clock import RunStopped

NOTHING_SENT = "-"
_NOT_LEARNT = "the target was not learnt to its end: "
#: Random words from each state, for what the contract does not know: so many, of so many symbols.
_WALKS, _WALK_LENGTH = 10, 8
#: A word is begun anew so often where the response to a create was lost: nobody knows what is stored then.
_MAX_LOST = 3


@dataclass(slots=True)
class Learnt:
    """The states of a target, None if they could not be learnt, which ``cut_short`` explains then."""

    machine: Machine | None
    words: int
    requests: int
    seconds: float
    cut_short: str = ""

    @property
    def reason(self) -> str:
        """Why the target could not be learnt, in short."""
        return self.cut_short.removeprefix(_NOT_LEARNT)


def learn(executor: Executor, recorder: Recorder, seed: int) -> Learnt:
    """Learn the states of a target, and record what each request shows of the rules, whatever ends it."""
    pool = executor.controls.caller_pool
    symbols = list_symbols(hook=executor.hook is not None, other_team=pool.find_caller("blue") is not None)
    service = LearntService(executor, recorder)
    started, requests = time.monotonic(), executor.sender.requests
    state = random.getstate()
    random.seed(seed)
    machine, cut_short = _run_to_end(service, lambda: _learn_machine(service, symbols))
    random.setstate(state)
    _, unexplained = _run_to_end(service, service.explain_violations)
    service.record_violations()
    sent = executor.sender.requests - requests
    return Learnt(machine, service.words, sent, time.monotonic() - started, cut_short or unexplained)


def _run_to_end(service: "LearntService", work: Callable[[], Machine | None]) -> tuple[Machine | None, str]:
    """Return the result of some work and an empty string, or None and what ended it before."""
    try:
        return work(), ""
    except SystemExit:  # so the library says that two answers to one word differ
        words = ", ".join(service.word)
        return None, f"the target answered the same requests in two ways: {words} (now {service.last_output})"
    except CannotRun as error:
        return None, f"{_NOT_LEARNT}{error}"
    except RunStopped:
        return None, f"{_NOT_LEARNT}the time is up"
    except TargetGone as gone:
        reason = f"the target {gone}"
    except KeyboardInterrupt:
        reason = "interrupted"
    except Exception as error:  # what was seen is worth more than a traceback
        reason = describe_error(error)
    service.stop()
    return None, reason


def _learn_machine(service: "LearntService", symbols: Sequence[str]) -> Machine:
    walks = StatePrefixEqOracle(symbols, service, walks_per_state=_WALKS, walk_len=_WALK_LENGTH)
    oracle = ProvidedSequencesOracleWrapper(symbols, service, walks, list_words(symbols))
    learnt = run_Lsharp(symbols, service, oracle, "mealy", print_level=0)
    learnt.compute_prefixes()
    order = {symbol: number for number, symbol in enumerate(symbols)}
    states = sorted(
        learnt.states, key=lambda one: (len(one.prefix), [order[symbol] for symbol in one.prefix])
    )
    numbers = {state.state_id: number for number, state in enumerate(states, 1)}
    return Machine(
        accesses=tuple(tuple(state.prefix) for state in states),
        transitions=tuple(
            Transition(numbers[state.state_id], symbol, state.output_fun[symbol], numbers[following.state_id])
            for state in states
            for symbol, following in state.transitions.items()
        ),
    )


@dataclass(slots=True)
class _Word:
    """One word while it is sent; ``contract`` is None once the target and the contract have parted."""

    context: CaseContext
    contract: ContractState | None = field(default_factory=ContractState)
    symbols: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


class LearntService(SUL):  # type: ignore[misc]  # the library has no types
    """One service of the target, as the library wants it: a new one for each word."""

    def __init__(self, executor: Executor, recorder: Recorder) -> None:
        super().__init__()
        self.words = 0
        self.last_output = ""
        self._hook_worked = False
        self._executor, self._recorder = executor, recorder
        self._violations: dict[tuple[str, str], Observation] = {}
        self._word = _Word(executor.open_context())

    @property
    def word(self) -> Sequence[str]:
        """The symbols of the latest word."""
        return self._word.symbols

    def pre(self) -> None:
        """Begin a word; raise RunStopped if the time is up."""
        if self._executor.sender.target.clock.is_time_up():
            raise RunStopped
        self.words += 1
        self._word = _Word(self._executor.open_context())

    def post(self) -> None:
        """End a word; its service stays."""

    def step(self, letter: str) -> str:
        """Send the request of a symbol and return its status."""
        lost, output = self._count_lost(), self._send_symbol(letter)
        for _ in range(_MAX_LOST):
            if lost == self._count_lost():
                break
            lost, symbols = self._count_lost(), self._word.symbols
            self._word = _Word(self._executor.open_context())
            output = [self._send_symbol(symbol) for symbol in symbols][-1]
        return output

    def _count_lost(self) -> int:
        return self._executor.sender.created_log.lost

    def _send_symbol(self, letter: str) -> str:
        word = self._word
        word.symbols.append(letter)
        step = build_step(letter, exists="service" in word.context.services)
        if step is None:
            return NOTHING_SENT
        word.steps.append(step)
        if word.contract is None:
            return self._send(step)
        expect, rule_id = word.contract.expect(letter)
        word.steps[-1] = step = replace(step, expect=expect)
        case = Case(f"trace/learnt-{rule_id}", rule_id, "lifecycle", tuple(word.steps))
        judgement = self._executor.run_step(case, self._executor.catalogue[rule_id], step, word.context)
        self._check_hook(step, judgement)
        self._record(letter, Observation(case, judgement, tuple(word.context.exchanges)))
        if judgement.outcome == "passed":
            word.contract.apply(letter)
        else:
            word.contract = None
        return self._read_status(step)

    def stop(self) -> None:
        """Send nothing more."""
        self._executor.sender.target.clock.stop()

    def record_violations(self) -> None:
        """Record the shortest word of each violation that is not recorded yet."""
        while self._violations:
            self._recorder.add(self._violations.pop(next(iter(self._violations))))

    def explain_violations(self) -> None:
        """Record the violations, shrink them, and compare them with their neighbours."""
        self.record_violations()
        self._recorder.shrink_pending()
        self._recorder.explain_deviations()

    def _record(self, symbol: str, observation: Observation) -> None:
        judgement = observation.judgement
        if judgement.outcome != "violated":
            if observation.case.steps[-1].operation != "setStatus":
                self._recorder.add(observation)
            return
        known = self._violations.setdefault((judgement.rule, symbol), observation)
        if len(observation.case.steps) < len(known.case.steps):
            self._violations[judgement.rule, symbol] = observation

    def _check_hook(self, step: Step, judgement: Judgement) -> None:
        """Raise CannotRun if the control hook fails before it has ever worked: it may refuse some changes only."""
        if step.operation == "setStatus" and not self._hook_worked:
            if judgement.outcome != "passed":
                raise CannotRun(judgement.reason)
            self._hook_worked = True

    def _send(self, step: Step) -> str:
        """Send a step without judging it: the contract does not know what came before."""
        if step.operation == "setStatus" and self._executor.hook is not None:
            self._executor.hook.set_status(self._word.context.services[step.service], step.status or "")
        else:
            self._executor.sender.send_step(self._word.context, step)
        return self._read_status(step)

    def _read_status(self, step: Step) -> str:
        if step.operation == "setStatus":
            return NOTHING_SENT
        last = self._word.context.exchanges[-1]
        self.last_output = str(last.status or last.reason)
        return self.last_output
