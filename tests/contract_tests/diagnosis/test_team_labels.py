"""Team labels: a key of another team than the callers file says is named, and no rule is called broken for it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from contract_tests.cases.callers import Caller
from contract_tests.diagnosis.team_labels import describe_wrong_label, find_wrong_labels
from contract_tests.results.verdict import Report
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run, create_state
from mock_server import create_app
from tests.support.gate.gate import App, describe_findings, judge_app, open_app_executor, violated_rules
from tests.support.gate.messages import Interceptor, Request, Response, Send
from tests.support.gate.planting import add_interceptor
from tests.support.reports import load_fixture_callers

CALLERS = {caller.name: caller for caller in load_fixture_callers()}
TEAMS = {"red": CALLERS["sk-red"].teams[0], "blue": CALLERS["sk-blue"].teams[0]}
RULES = frozenset({"team-scope", "slug-unique", "created"})


def label_callers(labels: Mapping[str, str]) -> list[Caller]:
    """Return callers of the fixtures, each with the team that a callers file names."""
    return [replace(CALLERS[name], teams=(TEAMS[team],)) for name, team in labels.items()]


def judge(app: App, callers: Iterable[Caller]) -> Report:
    """Return the report on an app, in the scenarios of several callers."""
    return judge_app(app, callers=callers, layers=("lifecycle",), rules=RULES)


@pytest.mark.parametrize(
    ("labels", "wrong"),
    [
        ({"sk-red": "red", "dk-red": "blue"}, {"dk-red (acts for the team of sk-red"}),
        ({"sk-red": "red", "sk-blue": "blue", "dk-red": "blue"}, {"dk-red (acts for the team of sk-red"}),
        ({"sk-red": "blue", "sk-blue": "red", "jwt-red": "red"}, {"sk-blue", "sk-red"}),
    ],
    ids=["two-keys-of-one-team", "a-third-key", "swapped-beside-a-jwt"],
)
def test_a_key_with_a_wrong_team_is_named_and_no_rule_is_broken(
    labels: dict[str, str], wrong: set[str]
) -> None:
    """The verdict names the keys to correct; a team that works on its own services breaks nothing."""
    report = judge(create_app(), label_callers(labels))
    assert violated_rules(report) == set(), describe_findings(report)
    assert report.exit_code == 3
    assert all(
        "in the callers file; if they are right, the deployment mixes teams)" in text
        for text in report.unusable_callers
    )
    assert all(any(text.startswith(name) for text in report.unusable_callers) for name in wrong)


@pytest.mark.parametrize("limit", [60, 90])
def test_a_limit_of_services_leaves_enough_to_ask(limit: int) -> None:
    """The gate asks at the first such violation, before --max-created leaves no service for it."""
    callers = label_callers({"sk-red": "red", "dk-red": "blue"})
    executor = open_app_executor(create_app(), callers=callers, max_created=limit)
    report = Run(executor, RunOptions(layers=("lifecycle",), rules=RULES)).execute()
    assert violated_rules(report) == set(), describe_findings(report)
    assert report.created <= limit


def test_a_run_that_may_create_nothing_asks_nothing() -> None:
    """With --refuse-only no valid request is sent, also not to find out about a key."""
    executor = open_app_executor(
        create_app(), callers=label_callers({"sk-red": "red", "dk-red": "blue"}), refuse_only=True
    )
    assert find_wrong_labels(executor) == {}
    assert executor.sender.requests == 0


def test_a_resumed_run_still_names_the_keys_of_its_earlier_part() -> None:
    """What the earlier part could not judge stays inconclusive, so its reason stays, too; a repaired token goes."""
    executor = open_app_executor(create_app())
    options = RunOptions(layers=("race",), rules=frozenset({"updated"}))
    state = create_state(executor, options)
    wrong = describe_wrong_label("dk-red", "acts for the team of sk-blue")
    state.unusable_callers, state.wrong_labels = ("jwt-red (401: check its token)",), (wrong,)
    assert Run(executor, options, state=state).execute().unusable_callers == (wrong,)


def _take_slugs_of_all_teams() -> Interceptor:
    """Refuse a slug that any team has."""
    taken: set[str] = set()

    def intercept(request: Request, send: Send) -> Response:
        slug = str((request.body or {}).get("service_slug"))
        if request.operation == "create" and slug in taken:
            return Response(409)
        response = send(request)
        if request.operation == "create" and response.status == 201:
            taken.add(slug)
        return response

    return intercept


@pytest.mark.parametrize(
    ("app", "rule"),
    [
        (create_app(disabled_rules={"team-scope"}), "team-scope"),
        (create_app(disabled_rules={"slug-unique"}), "slug-unique"),
        (add_interceptor(create_app(), _take_slugs_of_all_teams()), "slug-unique"),
    ],
    ids=["services-are-open-to-all", "slugs-are-free", "slugs-are-taken-for-all"],
)
@pytest.mark.parametrize("names", [("sk-red", "sk-blue"), tuple(CALLERS)], ids=["two-keys", "all-callers"])
def test_a_broken_rule_about_teams_is_not_blamed_on_the_callers_file(
    app: App, rule: str, names: tuple[str, ...]
) -> None:
    """A deployment that breaks one rule shows only half of what two keys of one team show, and is reported."""
    report = judge(app, [CALLERS[name] for name in names])
    assert violated_rules(report) == {rule}, describe_findings(report)
    assert (report.exit_code, report.unusable_callers) == (1, ())


def test_a_user_whose_teams_are_one_shows_a_fault() -> None:
    """A JWT sends its team, so that no callers file explains a deployment that mixes two teams of a user."""

    def intercept(request: Request, send: Send) -> Response:
        if request.header("X-Team-ID") == TEAMS["blue"]:
            return send(request.with_header("X-Team-ID", TEAMS["red"]))
        return send(request)

    report = judge(add_interceptor(create_app(), intercept), CALLERS.values())
    assert "team-scope" in violated_rules(report)
    assert report.exit_code == 1
