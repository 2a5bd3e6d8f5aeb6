"""The parts of the suite, each by itself: callers, made values, cases, packs, judging, runs."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from contract_tests.cases.batching import batch_cases
from contract_tests.cases.boundaries import derive_cases, select_new_cases
from contract_tests.cases.callers import CallersError, build_caller_pool, load_callers
from contract_tests.cases.model import Case, Step, case_from_json, case_to_json
from contract_tests.cases.tables import load_bodies, load_fixture_cases
from contract_tests.cases.value_templates import SlugFactory, fill_templates
from contract_tests.contract.resources import data_file
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.execution.context import CaseContext
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.shrink import iter_shorter as shorter
from contract_tests.generation.bodies import Sample
from contract_tests.generation.oracle import predict
from contract_tests.generation.rounds import build_property_case
from contract_tests.results.judge import judge_response
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.base import NoResponse, Request, Response
from contract_tests.targets.exchange import Redactor
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app

CATALOGUE, SPEC, BODIES = load_catalogue(), load_spec(), load_bodies()
ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445"


def reply(status: int, body: Any = None, *, resent: bool = False) -> Response:
    """An answer with a JSON body."""
    return Response(status, (), b"" if body is None else json.dumps(body).encode(), 0.01, resent)


@pytest.mark.parametrize(
    ("rule", "expect", "operation", "answer", "outcome", "named"),
    [
        ("slug-unique", "refuse", "createContainer", reply(409), "passed", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", reply(422), "passed", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", reply(201, {"id": ID}), "violated", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", reply(500), "violated", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", reply(503), "inconclusive", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", reply(429), "inconclusive", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", reply(405), "inconclusive", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", reply(302), "inconclusive", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", NoResponse("gone", 1), "inconclusive", "slug-unique"),
        ("exposed-port-range", "refuse", "createContainer", reply(409), "inconclusive", "exposed-port-range"),
        ("exposed-port-range", "refuse", "updateContainer", reply(409), "passed", "exposed-port-range"),
        ("exposed-port-range", "open", "createContainer", reply(422), "passed", "exposed-port-range"),
        ("exposed-port-range", "open", "createContainer", reply(500), "violated", "exposed-port-range"),
        ("team-required-for-jwt", "refuse", "createContainer", reply(400), "passed", "team-required-for-jwt"),
        (
            "team-required-for-jwt",
            "refuse",
            "createContainer",
            reply(422),
            "violated",
            "team-required-for-jwt",
        ),
        ("created", "accept", "createContainer", reply(201, {"id": ID}), "passed", "created"),
        (
            "created",
            "accept",
            "createContainer",
            reply(200, {"id": ID.upper(), "more": 1}),
            "passed",
            "created",
        ),
        ("created", "accept", "createContainer", reply(201, {}), "violated", "created"),
        ("created", "accept", "createContainer", reply(201, {"id": "7"}), "violated", "created"),
        ("created", "accept", "createContainer", reply(201), "violated", "created"),
        ("created", "accept", "createContainer", reply(400), "violated", "created"),
        ("created", "accept", "createContainer", reply(409, resent=True), "inconclusive", "created"),
        ("service-slug-pattern", "accept", "createContainer", reply(201, {}), "violated", "created"),
        (
            "update-partial",
            "accept",
            "updateContainer",
            reply(200, {"id": ID.upper()}),
            "passed",
            "update-partial",
        ),
        (
            "update-partial",
            "accept",
            "updateContainer",
            reply(200, {"id": ID[:-1] + "6"}),
            "violated",
            "updated",
        ),
    ],
)
def test_an_answer_is_judged(
    rule: str, expect: Any, operation: str, answer: Any, outcome: str, named: str
) -> None:
    """What an answer proves depends on the rule, on what is expected, and on nothing in the error's body."""
    service = ID if operation == "updateContainer" else None
    judgement = judge_response(CATALOGUE[rule], expect, operation, answer, service)
    assert (judgement.outcome, judgement.rule) == (outcome, named)


def test_each_part_is_played_by_who_can() -> None:
    """The callers of the fixtures fill every part, and a part that nobody can play is empty."""
    everyone = load_callers(data_file("fixtures/callers.yaml"))
    parts = build_caller_pool(everyone)
    roles = ("sk-red", "sk-blue", "dk-red", "jwt-red", "jwt-both", "ak-red", "red", "blue", "dk-blue")
    played = {role: getattr(parts.find_caller(role), "name", None) for role in roles}
    assert played == {
        "sk-red": "sk-red", "sk-blue": "sk-blue", "dk-red": "dk-red", "jwt-red": "jwt-red",
        "jwt-both": "jwt-both", "ak-red": "ak-red", "red": "sk-red", "blue": "sk-blue", "dk-blue": None,
    }  # fmt: skip


def test_one_token_alone_is_enough(tmp_path: Path) -> None:
    """A single sk- token with no team named can play for team red, and its value is not shown."""
    file = tmp_path / "callers.yaml"
    file.write_text("callers: [{kind: sk, token_env: MY_TOKEN}]")
    callers = load_callers(file, {"MY_TOKEN": "sk-secret"})
    found = build_caller_pool(callers).find_caller("red")
    assert found is not None
    assert found.token == "sk-secret"
    assert "sk-secret" not in repr(callers)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("callers: []", "names no caller"),
        ("[]", "no list `callers`"),
        ("{", "not YAML"),
        ("callers: [{kind: root}]", "needs a kind"),
        ("callers: [{kind: sk}]", "give token_env"),
        ("callers: [{kind: sk, token_env: NOT_SET}]", "set the variable NOT_SET"),
        ("callers: [{kind: sk, token_file: none.txt}]", "put the token into"),
        ("callers: [{kind: jwt, token: a.b.c}]", "needs `teams`"),
        ("callers: [{kind: sk, token: a, teams: [red]}]", "neither under `teams` nor a UUID"),
        ("callers: [{kind: sk, token: a}, {kind: sk, token: b}]", "two callers are called sk"),
        ("callers: [{kind: sk, token: a}, {kind: dk, token: a}]", "sk and dk have the same token"),
    ],
)
def test_a_callers_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, says: str) -> None:
    """A callers file that cannot be used is refused in one line that says what to do."""
    file = tmp_path / "callers.yaml"
    file.write_text(text)
    with pytest.raises(CallersError, match=says) as caught:
        load_callers(file, {})
    assert "\n" not in str(caught.value)


def test_a_generated_body_goes_out_as_it_is() -> None:
    """A generated body that looks like a made value is sent as it was generated."""
    odd = {"env_config": [{"$text": -120}, {"$bytes": "aGk="}]}
    case = build_property_case(
        Sample("updateContainer", "fuzzing", positive=False, value=odd), "1", "deployed"
    )
    scene = CaseContext(
        build_caller_pool(load_callers(data_file("fixtures/callers.yaml"))),
        SlugFactory(),
        services={"shared:deployed": ID},
    )
    request, _ = scene.build_request(
        SPEC.operations["updateContainer"], case.steps[0], scene.find_caller("red")
    )
    assert json.loads(request.body or b"") == odd


def test_a_caller_without_a_name_is_called_after_its_kind_and_team(tmp_path: Path) -> None:
    """Callers that are not named are told apart by their kind and teams."""
    file = tmp_path / "callers.yaml"
    file.write_text(
        f"teams: {{red: {ID}}}\ncallers: [{{kind: sk, token: a, teams: [red]}}, {{kind: dk, token: b, teams: [red]}}]"
    )
    assert [caller.name for caller in load_callers(file, {})] == ["sk-red", "dk-red"]


def test_a_run_that_could_judge_nothing_is_not_green() -> None:
    """A run in which no rule could be judged ends with 3, one that only refuses judges what it can."""
    player = open_executor(WsgiTarget(create_app()))
    rules = frozenset({"not-while-busy"})
    assert Run(player, RunOptions(layers=("lifecycle",), rules=rules)).execute().exit_code == 3
    careful = open_executor(WsgiTarget(create_app()), options=ExecutorOptions(refuse_only=True))
    report = Run(careful, RunOptions(refuse_only=True)).execute()
    assert (report.exit_code, report.created) == (0, 0)
    assert report.count_verdicts()["conforms"] > 50


def test_a_run_ends_when_its_time_is_up() -> None:
    """A run of a tenth of a second says that it was cut short, with what was seen."""
    report = Run(open_executor(WsgiTarget(create_app())), RunOptions(seconds=0.1)).execute()
    assert report.cut_short == "the time is up"
    assert report.seconds < 5


def test_slugs_are_fresh_and_valid() -> None:
    """No slug comes twice, each is valid by the oracle, and a length that is asked for is kept."""
    slugs = SlugFactory("team-x-")
    made = [slugs.new_slug() for _ in range(2000)] + [slugs.new_slug(length) for length in (50, 99, 100)]
    assert len(set(made)) == len(made)
    wrong = [
        s
        for s in made
        if any("slug" in rule for rule in predict("createContainer", {"service_slug": s}).broken_rules)
    ]
    assert wrong == []
    assert [len(slugs.new_slug(length)) for length in (3, 4, 30, 100)] == [3, 4, 30, 100]


@pytest.mark.parametrize("prefix", ["-a", "A", "", "a" * 41, "a_"])
def test_a_prefix_that_begins_no_slug_is_refused(prefix: str) -> None:
    """A slug prefix with which no valid slug can begin is refused."""
    with pytest.raises(ValueError, match="cannot begin a slug"):
        SlugFactory(prefix)


def test_made_values_are_filled_in() -> None:
    """Texts are counted in code points, and made values are found at any depth."""
    value = {
        "a": [{"$text": {"start": "é", "fill": "\U0001f600", "length": 3}}],
        "b": {"$repeat": {"value": 1, "count": 2}},
    }
    assert fill_templates(value, lambda _: "slug") == {"a": ["é\U0001f600\U0001f600"], "b": [1, 1]}


def test_every_refused_value_breaks_one_rule_only() -> None:
    """A value case that is refused breaks its own rule alone, so that a refusal proves that rule."""
    cases = [c for c in load_fixture_cases(CATALOGUE) + derive_cases(SPEC, CATALOGUE, BODIES) if c.value]
    several = []
    for case in cases:
        step = case.steps[0]
        body = fill_templates(dict(step.body), SlugFactory().new_slug)
        if step.operation == "createContainer" and step.slug is None:
            body.setdefault("service_slug", "a-slug")
        said = predict(step.operation, body, "external")
        fields = {rule.rsplit("-", 1)[0] for rule in said.broken_rules}
        if case.expect == "refuse" and len(fields) > 1:
            several.append((case.id, sorted(said.broken_rules)))
    assert several == []


@pytest.mark.parametrize(
    ("name", "keyword", "value", "rule"),
    [
        ("health_path", "pattern", "^/", "health-path-pattern"),
        ("required_labels", "uniqueItems", True, "required-labels-unique"),
        ("env_config", "maxItems", 20, "env-config-length"),
    ],
)
def test_a_new_keyword_is_tried_without_a_line_of_python(
    name: str, keyword: str, value: Any, rule: str
) -> None:
    """A constraint added to the spec alone gets refused and accepted cases on both operations."""
    import copy
    from dataclasses import replace

    operations = dict(SPEC.operations)
    for op in ("createContainer", "updateContainer"):
        body = copy.deepcopy(dict(SPEC.operations[op].body_schema))
        body["properties"][name][keyword] = value
        body["properties"][name]["x-rules"][keyword] = rule
        operations[op] = replace(operations[op], body_schema=body)
    catalogue = {**CATALOGUE, rule: replace(CATALOGUE["health-path-type"], id=rule)}
    spec = replace(SPEC, operations=operations)
    cases = select_new_cases(derive_cases(spec, catalogue, BODIES), load_fixture_cases(CATALOGUE))
    refused = {c.steps[0].operation for c in cases if c.rule == rule and c.expect == "refuse"}
    assert refused == {"createContainer", "updateContainer"}


def test_a_pack_holds_each_property_once() -> None:
    """Packed cases never share a property, none is lost, and what must be refused stays alone."""
    cases = [case for case in load_fixture_cases(CATALOGUE) if case.layer == "cases"]
    packs, alone = batch_cases(cases)
    members = [member for pack in packs for member in pack.members]
    assert sorted(c.id for c in [*members, *alone]) == sorted(c.id for c in cases)
    assert all(c.expect == "refuse" for c in alone if c.steps[0].slug is None)
    for pack in packs:
        names = [member.value[2] for member in pack.members if member.value]
        assert len(set(names)) == len(names)


def test_a_case_survives_being_written_down() -> None:
    """Every case of the fixtures is the same after a round trip through JSON, but for what only a run needs."""
    for case in load_fixture_cases(CATALOGUE):
        again = case_from_json(json.loads(json.dumps(case_to_json(case))))
        assert again.steps == case.steps


def test_tokens_are_gone_before_anything_is_kept() -> None:
    """A token in a header, a body, a path or an answer is replaced by $TOKEN, and the command quotes it."""
    redactor = Redactor(["sk-secret", "sk-secret-longer"])
    request = Request(
        "POST", "/x?t=sk-secret", (("Authorization", "Bearer sk-secret-longer"),), b'{"a": "sk-secret\'"}'
    )
    answer = Response(400, (("X-Echo", "sk-secret"), ("Set-Cookie", "s=1")), b"no sk-secret-longer", 0.1)
    exchange = redactor.record_exchange("me", "http://h", request, redactor.redact_response(answer))
    shown = json.dumps(exchange.to_json()) + exchange.to_curl()
    assert "sk-secret" not in shown
    assert "s=1" not in shown
    words = shlex.split(exchange.to_curl())
    assert "Authorization: Bearer $TOKEN" in words
    assert words[-1] == '{"a": "$TOKEN\'"}'


def test_a_trace_is_cut_only_where_the_rest_still_says_what_must_come() -> None:
    """The steps that name the slug or the service of the last one stay, whatever else is left out of a trace."""
    first, last = Step(slug="a", as_="one"), Step(slug="a", as_="two", expect="refuse")
    others = tuple(Step(as_=f"other-{n}") for n in range(5))
    update = Step("updateContainer", service="one")
    again = Case("again", "slug-unique", "lifecycle", (first, *others, update, last))
    cut = [smaller.steps for smaller in shorter(again)]
    assert (first, last) in cut
    assert all(first in steps and steps[-1] == last for steps in cut)
    shown = Step("readContainer", service="one", shows=(("display_name", "x"),))
    kept = Case("kept", "update-keeps-omitted", "lifecycle", (first, *others, update, shown))
    assert all(first in smaller.steps and update in smaller.steps for smaller in shorter(kept))
    busy = Step("setStatus", service="one", status="deploying")
    refused = Step("updateContainer", service="one", expect="refuse")
    while_busy = Case("busy", "not-while-busy", "lifecycle", (first, *others, busy, refused))
    assert all(busy in smaller.steps for smaller in shorter(while_busy))
