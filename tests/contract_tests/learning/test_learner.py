"""The learner on the mock, on deployments that chose otherwise, and on broken ones."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from contract_tests.execution.sending.limits import TargetGone
from contract_tests.learning.learner import Learnt, LearntService
from contract_tests.learning.session import learn_target
from contract_tests.results.observation import Observation
from contract_tests.results.verdict import Report
from contract_tests.runs.options import RunOptions
from contract_tests.targets.base import NoResponse, Request, Response
from contract_tests.targets.clock import RunStopped
from examples.deployment.choices import VARIANTS
from mock_server import create_app
from tests.quality.faults import FAULTS
from tests.support.gate.example_app import build_deployment_app
from tests.support.gate.gate import (
    EXAMPLE_HOOK,
    MOCK_HOOK,
    App,
    describe_findings,
    open_app_executor,
    violated_rules,
)

BY_NAME = {fault.name: fault for fault in FAULTS}
MOST_REQUESTS = 1300


def learn(app: App, hook: str | None = MOCK_HOOK, **limits: int) -> tuple[Learnt, Report]:
    """Return what is learnt of an app, and the report."""
    return learn_target(open_app_executor(app, hook=hook, **limits), RunOptions())


def states_of(learnt: Learnt) -> list[tuple[str, ...]]:
    """Return the shortest words to the states."""
    return list(learnt.machine.accesses) if learnt.machine else []


def test_the_mock_has_the_states_of_the_contract() -> None:
    """A service is absent, deployed or external, and the last two may be busy; each try conforms."""
    learnt, report = learn(create_app())
    assert states_of(learnt) == [
        (), ("create deployed",), ("create external",), ("create deployed", "set deploying"),
        ("create external", "set deploying"),
    ]  # fmt: skip
    assert (report.exit_code, report.findings, learnt.cut_short) == (0, (), "")
    assert learnt.requests < MOST_REQUESTS
    assert {row.verdict for row in report.verdicts} == {"conforms"}


def test_without_a_control_hook_nothing_is_busy() -> None:
    """The three other states are learnt with half as many requests."""
    learnt, report = learn(create_app(), hook=None)
    assert states_of(learnt) == [(), ("create deployed",), ("create external",)]
    assert report.exit_code == 0
    assert learnt.requests < MOST_REQUESTS / 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=(pytest.mark.exhaustive,) if number % 15 else ())
        for number, name in enumerate(VARIANTS)
    ],
)
def test_no_choice_is_a_fault(name: str) -> None:
    """A deployment that chose otherwise has the five states, and nothing is violated."""
    learnt, report = learn(build_deployment_app(VARIANTS[name]), EXAMPLE_HOOK)
    assert not [one for one in report.findings if one.severity == "failure"], describe_findings(report)
    assert (len(states_of(learnt)), learnt.cut_short) == (5, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("lock-stays-after-a-busy-time", 6),
        ("free-after-an-update", 7),
        ("update-while-deploying", 5),
        ("busy-not-on-external", 4),
    ],
)
def test_a_fault_of_state_is_a_state_more_or_less(name: str, states: int) -> None:
    """The rule is violated, and the machine shows the state that should not be, or the one that is missing."""
    learnt, report = learn(BY_NAME[name].app())
    assert violated_rules(report) == BY_NAME[name].breaks, describe_findings(report)
    assert len(states_of(learnt)) == states


@pytest.mark.slow
def test_a_violation_has_the_shortest_word() -> None:
    """A slug that is free again after a change shows in three steps: a create, the change, another create."""
    _, report = learn(BY_NAME["free-after-an-update"].app())
    (finding,) = report.findings
    assert len(finding.case.steps) == 3, describe_findings(report)


@pytest.mark.slow
def test_a_target_that_answers_in_two_ways_is_not_learnt() -> None:
    """The reason names the word, the violation that was seen stays, and there is no machine."""
    learnt, report = learn(BY_NAME["not-while-busy-every-other-time"].app())
    assert learnt.machine is None
    assert learnt.cut_short.startswith("the target answered the same requests in two ways: create ")
    assert (violated_rules(report), report.exit_code) == ({"not-while-busy"}, 1)


def test_a_control_hook_that_never_works_ends_the_learning() -> None:
    """Without it nothing would be busy, and a machine of three states would be called complete."""
    learnt, report = learn(create_app(), "/_mock/no-such-path/{id}/{status}")
    assert (learnt.machine, report.exit_code) == (None, 3)
    assert learnt.reason == "the control hook failed: it responds with 404"


def test_the_answer_that_differs_is_named() -> None:
    """So that a target that is lost is not taken for one that answers in two ways."""
    executor = open_app_executor(create_app(), hook=None)
    send = executor.sender.target.send
    executor.sender.target.send = lambda request: (  # type: ignore[method-assign]
        NoResponse("the connection was dropped", 0.0) if executor.sender.requests > 100 else send(request)
    )
    learnt, _ = learn_target(executor, RunOptions())
    assert learnt.cut_short.endswith(" (now the connection was dropped)")


def test_a_lost_response_begins_the_word_anew() -> None:
    """A create that was stored finds its slug taken when it is sent again: that is no second answer to the word."""
    executor = open_app_executor(create_app(profile={"choices": {"slug-taken-status": 422}}), hook=None)
    send, creates = executor.sender.target.send, itertools.count(1)

    def send_again(request: Request) -> Response | NoResponse:
        lost = request.method == "POST" and next(creates) % 10 == 0
        first, again = send(request), send(request) if lost else None
        return replace(again, resent=True) if isinstance(again, Response) else first

    executor.sender.target.send = send_again  # type: ignore[method-assign]
    learnt, report = learn_target(executor, RunOptions())
    assert states_of(learnt) == [(), ("create deployed",), ("create external",)]
    assert (report.exit_code, executor.sender.created_log.lost > 10) == (0, True)


def test_a_limit_ends_the_learning_with_its_reason() -> None:
    """No more services are created than allowed, and nothing is called learnt."""
    learnt, report = learn(create_app(), max_created=30)
    assert learnt.machine is None
    assert learnt.cut_short == "the target was not learnt to its end: --max-created is reached"
    assert (report.exit_code, report.created <= 30) == (3, True)


def test_a_time_limit_ends_the_learning() -> None:
    """The word that is sent is the last one."""
    executor = open_app_executor(create_app())
    learnt, report = learn_target(executor, RunOptions(seconds=0.05))
    assert (learnt.machine, report.exit_code) == (None, 3)
    assert learnt.cut_short.endswith("the time is up")
    assert learnt.requests < 300


ENDINGS: dict[str, tuple[Callable[[], BaseException], str]] = {
    "error": (RuntimeError, "an error of the suite, please report it: RuntimeError: "),
    "Ctrl-C": (KeyboardInterrupt, "interrupted"),
    "time": (RunStopped, "the target was not learnt to its end: the time is up"),
    "gone": (partial(TargetGone, "stopped responding"), "the target stopped responding"),
    "disk": (partial(OSError, 28, "No space left", "log"), "log could not be opened or written any more: "),
}


@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize("explaining", [False, True], ids=["learning", "explaining"])
def test_a_violation_outlives_whatever_ends_the_learning(
    name: str, explaining: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A violation that was seen is reported, though the words or the requests that explain it end early."""
    error, reason = ENDINGS[name]
    executor = open_app_executor(create_app(disabled_rules={"external-url-on-external-only"}), hook=None)
    send, explain = executor.sender.target.send, LearntService.explain_violations
    last = [10_000 if explaining else 60]

    def send_until(request: Request) -> Response | NoResponse:
        if executor.sender.requests >= last[0]:
            raise error()
        return send(request)

    def explain_nothing(service: LearntService) -> None:
        last[0] = 0
        explain(service)

    monkeypatch.setattr(executor.sender.target, "send", send_until)
    monkeypatch.setattr(LearntService, "explain_violations", explain_nothing)
    learnt, report = learn_target(executor, RunOptions())
    assert (violated_rules(report), report.exit_code) == ({"external-url-on-external-only"}, 1)
    assert learnt.cut_short.startswith(reason)
    assert (learnt.machine is not None) == explaining


class Recorded:
    """Stands in for the recorder of a run: keeps what it is given."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []

    def add(self, observation: Observation) -> None:
        """Keep an observation."""
        self.observations.append(observation)

    def shrink_pending(self) -> None:
        """Leave the observations as they are."""

    explain_deviations = shrink_pending


def send_words(app: App, *words: tuple[str, ...]) -> list[tuple[str, int]]:
    """Return the rules that words violate, each with the number of steps that show it."""
    recorded = Recorded()
    service = LearntService(open_app_executor(app), recorded)  # type: ignore[arg-type]
    for word in words:
        service.query(word)
    service.explain_violations()
    violated = [one for one in recorded.observations if one.judgement.outcome == "violated"]
    return [(one.judgement.rule, len(one.case.steps)) for one in violated]


def test_a_word_is_judged_up_to_its_first_violation() -> None:
    """After it the contract does not know the state, so a second fault counts in another word only."""
    app = create_app(disabled_rules={"not-while-busy", "external-url-on-external-only"})
    busy = ("create deployed", "set deploying", "update name")
    assert send_words(app, (*busy, "set running", "update URL")) == [("not-while-busy", 3)]
    assert send_words(app, ("create deployed", "update URL")) == [("external-url-on-external-only", 2)]


def test_the_shortest_word_of_a_violation_is_recorded() -> None:
    """A longer one that came first is replaced."""
    app = create_app(disabled_rules={"not-while-busy"})
    short, long = ("set deploying", "update name"), ("update nothing", "set deploying", "update name")
    assert send_words(app, ("create deployed", *long), ("create deployed", *short)) == [("not-while-busy", 3)]
