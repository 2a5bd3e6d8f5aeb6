"""The choices of a deployment, as the answers of a run show them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from contract_tests.cases.model import Case, Expect, Step
from contract_tests.contract.choices import load_choices
from contract_tests.results.chosen import Answer, find_answer, list_chosen
from contract_tests.results.judge import Judgement, Outcome
from contract_tests.results.observation import Observation
from contract_tests.targets.exchange import Exchange
from mock_server import create_app
from tests.support.gate.gate import judge_app

CHOICES = load_choices()


def build_observation(
    expect: Expect, status: int, outcome: Outcome = "passed", choice: str = ""
) -> Observation:
    """Return a create that was answered with a status."""
    case = Case("c", "exposed-port-range", "cases", (Step(expect=expect, choice=choice),))
    exchange = Exchange("", "POST", "", (), "", status, (), "", "", "", 0.0)
    return Observation(case, Judgement(outcome, "exposed-port-range"), (exchange,))


def open_case(choice: str) -> Case:
    """Return an update about a choice."""
    return Case("c", "exposed-port-type", "cases", (Step("updateContainer", expect="open", choice=choice),))


def refused_case(rule: str, name: str = "c") -> Case:
    """Return an update that a rule refuses."""
    return Case(name, rule, "lifecycle", (Step("updateContainer", expect="refuse"),))


@pytest.mark.parametrize(
    ("observation", "answer"),
    [
        (build_observation("refuse", 422), ("exposed-port-range", "createContainer", 422)),
        (build_observation("accept", 201), ("created", "createContainer", 201)),
        (
            build_observation("open", 400, choice="integral-floats"),
            ("integral-floats", "createContainer", 400),
        ),
        (build_observation("open", 400), None),
        (build_observation("refuse", 500, "violated"), None),
    ],
)
def test_the_answer_of_a_case(observation: Observation, answer: Answer | None) -> None:
    """Only a case that passed shows a choice, and an open one only if it names it."""
    assert find_answer(observation) == answer


@pytest.mark.parametrize(
    ("case", "body", "shown"),
    [
        (open_case("integral-floats"), {"exposed_port": 8080.0}, True),
        (open_case("integral-floats"), {"exposed_port": 8080.0, "docker_image": None}, False),
        (open_case("null-on-update"), {"docker_image": None, "exposed_port": None}, True),
        (open_case("integral-floats"), {"exposed_port": 8080.0, "replica_count": 11}, False),
        (refused_case("team-scope"), {}, True),
        (refused_case("team-scope"), {"exposed_port": 0}, False),
        (refused_case("external-url-on-external-only"), {"external_url": "https://a.example/"}, True),
        (
            refused_case("external-url-on-external-only"),
            {"external_url": "https://a.example/", "exposed_port": 80.0},
            False,
        ),
        (refused_case("body-depth"), {"extra": "x" * 20_000}, False),
        (refused_case("exposed-port-range"), {"exposed_port": 0, "replica_count": 11}, True),
        (refused_case("not-while-busy", "trace/random-not-while-busy"), {}, False),
    ],
)
def test_a_refusal_of_several_faults_shows_no_choice(case: Case, body: Any, shown: bool) -> None:
    """A refusal may be about each fault of a request; only one whose faults have one choice shows it."""
    exchange = Exchange("", "PUT", "", (), json.dumps(body), 400, (), "", "", "", 0.0)
    answer = find_answer(Observation(case, Judgement("passed", case.rule), (exchange,)))
    assert (answer is not None) is shown


@pytest.mark.parametrize(("team", "shown"), [("not-a-uuid", True), ("", False)])
def test_the_refusal_of_an_empty_team_shows_no_status(team: str, shown: bool) -> None:
    """An empty X-Team-ID may be a malformed or a missing one, so its status is that of neither choice."""
    step = Step("updateContainer", expect="refuse", headers=(("X-Team-ID", team),))
    exchange = Exchange("", "PUT", "", (), "{}", 400, (), "", "", "", 0.0)
    case = Case("c", "team-uuid", "wire", (step,))
    answer = find_answer(Observation(case, Judgement("passed", "team-uuid"), (exchange,)))
    assert (answer is not None) is shown


def test_contradictory_answers_are_called_so() -> None:
    """A deployment that does both is not said to have chosen one of them."""
    answers = {
        ("private-hosts", "createContainer", 201): 1,
        ("private-hosts", "createContainer", 400): 2,
    }
    (chosen,) = list_chosen(answers, CHOICES)
    assert chosen.summary == "seen both ways: refused (2), accepted (1)"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({("exposed-port-range", "createContainer", 400): 3}, {"invalid-body-status": ("400 (3)", False)}),
        (
            {("exposed-port-range", "createContainer", 422): 3, ("gpu-count-type", "updateContainer", 400): 1},
            {"invalid-body-status": ("422 (3), 400 (1)", True)},
        ),
        ({("created", "createContainer", 200): 1}, {"created-status": ("200 (1)", True)}),
        ({("integral-floats", "updateContainer", 200): 1}, {"integral-floats": ("accepted (1)", False)}),
        ({("null-on-update", "updateContainer", 200): 2}, {"null-on-update": ("absent (2)", True)}),
        ({("missing-media-type", "createContainer", 201): 2}, {"missing-media-type": ("json (2)", True)}),
        ({("bearer-case", "createContainer", 401): 2}, {"bearer-case": ("exact (2)", True)}),
        ({("repeated-items", "createContainer", 201): 2}, {"repeated-items": ("kept or merged (2)", False)}),
        ({("media-type-parameters", "createContainer", 201): 2}, {"media-type-parameters": ("accepted (2)", False)}),
    ],
)  # fmt: skip
def test_answers_are_told_by_choice(answers: Mapping[Answer, int], expected: dict[str, Any]) -> None:
    """An answer is unusual if it is none of the usual option, as far as answers can tell.

    It is told by the option of a profile, where it shows one.
    """
    found = {one.choice.id: (one.summary, one.is_unusual) for one in list_chosen(answers, CHOICES)}
    assert found == expected


@pytest.mark.slow
def test_a_run_reports_the_choices_of_the_target() -> None:
    """Statuses and reactions are those of the profile, and the rest is usual."""
    options = {"invalid-body-status": 422, "null-on-create": "absent", "integral-floats": "refused"}
    report = judge_app(create_app(profile={"choices": options}), strict=False, layers=("cases", "wire"))
    assert {one.choice.id for one in report.chosen if one.is_unusual} == {*options}
    assert len(report.chosen) > 20


def test_answers_of_both_kinds_name_the_options_that_they_leave() -> None:
    """Some parameters accepted and some refused is no contradiction, but one of two options."""
    answers = {("media-type-parameters", "createContainer", status): 1 for status in (201, 415)}
    (chosen,) = list_chosen(answers, CHOICES)
    assert chosen.summary == "not-another-charset or utf-8: accepted (1), refused (1)"
    assert not chosen.is_unusual
