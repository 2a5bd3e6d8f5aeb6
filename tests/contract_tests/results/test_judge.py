"""The judge: what a response proves about a rule."""

import json
from typing import Any

import pytest

from contract_tests.cases.model import Expect
from contract_tests.cases.tables import load_bodies
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.results.judge import judge_readback, judge_response, read_id
from contract_tests.targets.base import NoResponse, Response

CATALOGUE, SPEC, BODIES = load_catalogue(), load_spec(), load_bodies()


ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445"


def build_response(status: int, body: Any = None, *, resent: bool = False) -> Response:
    """Build a response with a JSON body."""
    return Response(status, (), b"" if body is None else json.dumps(body).encode(), 0.01, resent)


@pytest.mark.parametrize(
    ("rule", "expect", "operation", "answer", "outcome", "named"),
    [
        ("slug-unique", "refuse", "createContainer", build_response(409), "passed", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", build_response(422), "passed", "slug-unique"),
        (
            "slug-unique",
            "refuse",
            "createContainer",
            build_response(201, {"id": ID}),
            "violated",
            "slug-unique",
        ),
        ("slug-unique", "refuse", "createContainer", build_response(500), "violated", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", build_response(503), "inconclusive", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", build_response(429), "inconclusive", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", build_response(405), "inconclusive", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", build_response(302), "inconclusive", "slug-unique"),
        ("slug-unique", "refuse", "createContainer", NoResponse("gone", 1), "inconclusive", "slug-unique"),
        (
            "exposed-port-range",
            "refuse",
            "createContainer",
            build_response(409),
            "inconclusive",
            "exposed-port-range",
        ),
        (
            "exposed-port-range",
            "refuse",
            "updateContainer",
            build_response(409),
            "passed",
            "exposed-port-range",
        ),
        (
            "exposed-port-range",
            "open",
            "createContainer",
            build_response(422),
            "passed",
            "exposed-port-range",
        ),
        (
            "exposed-port-range",
            "open",
            "createContainer",
            build_response(500),
            "violated",
            "exposed-port-range",
        ),
        (
            "team-required-for-jwt",
            "refuse",
            "createContainer",
            build_response(400),
            "passed",
            "team-required-for-jwt",
        ),
        (
            "team-required-for-jwt",
            "refuse",
            "createContainer",
            build_response(422),
            "violated",
            "team-required-for-jwt",
        ),
        (
            "team-required-for-jwt",
            "refuse",
            "createContainer",
            build_response(409),
            "violated",
            "team-required-for-jwt",
        ),
        (
            "auth-known",
            "refuse",
            "createContainer",
            build_response(201, {"id": ID}),
            "violated",
            "auth-known",
        ),
        (
            "auth-known",
            "refuse",
            "createContainer",
            build_response(200, {"error": ""}),
            "violated",
            "created",
        ),
        ("created", "accept", "createContainer", build_response(204, {"id": ID}), "violated", "created"),
        ("created", "accept", "createContainer", build_response(201, {"id": ID}), "passed", "created"),
        (
            "created",
            "accept",
            "createContainer",
            build_response(200, {"id": ID.upper(), "more": 1}),
            "passed",
            "created",
        ),
        ("created", "accept", "createContainer", build_response(201, {}), "violated", "created"),
        ("created", "accept", "createContainer", build_response(201, {"id": "7"}), "violated", "created"),
        ("created", "accept", "createContainer", build_response(201), "violated", "created"),
        ("created", "accept", "createContainer", build_response(400), "violated", "created"),
        ("created", "accept", "createContainer", build_response(409, resent=True), "inconclusive", "created"),
        ("created", "accept", "createContainer", build_response(422, resent=True), "inconclusive", "created"),
        ("service-slug-pattern", "accept", "createContainer", build_response(201, {}), "violated", "created"),
        (
            "update-partial",
            "accept",
            "updateContainer",
            build_response(200, {"id": ID.upper()}),
            "passed",
            "update-partial",
        ),
        (
            "update-partial",
            "accept",
            "updateContainer",
            build_response(200, {"id": ID[:-1] + "6"}),
            "violated",
            "updated",
        ),
    ],
)
def test_response_is_judged(
    rule: str, expect: Any, operation: str, answer: Any, outcome: str, named: str
) -> None:
    """A judgement depends on the rule, the expectation and the response, but not on the body of an error."""
    service = ID if operation == "updateContainer" else None
    judgement = judge_response(CATALOGUE[rule], expect, operation, answer, service)
    assert (judgement.outcome, judgement.rule) == (outcome, named)


@pytest.mark.parametrize(
    ("expect", "named", "outcome"),
    [
        ("open", f"urn:uuid:{ID}", "passed"),
        ("open", f"{{{ID}}}", "passed"),
        ("open", f"urn:uuid:{ID[:-1]}6", "violated"),
        ("open", "another", "violated"),
        ("accept", f"urn:uuid:{ID}", "violated"),
    ],
)
def test_a_path_in_another_form_may_be_repeated(expect: Expect, named: str, outcome: str) -> None:
    """A target that chose to read another form of the id may respond with it; else the id has the usual form."""
    rule = CATALOGUE["service-id-format"]
    judgement = judge_response(rule, expect, "updateContainer", build_response(200, {"id": named}), ID)
    assert judgement.outcome == outcome


def test_a_recorded_path_in_another_form_may_be_repeated() -> None:
    """A recording has the id in the form of the path only."""
    rule, path = CATALOGUE["service-id-format"], f"urn:uuid:{ID}"
    for named in (path, ID):
        judgement = judge_response(rule, "open", "updateContainer", build_response(200, {"id": named}), path)
        assert judgement.outcome == "passed"


def test_an_answer_that_is_nested_too_deeply_is_named_so() -> None:
    """What the gate cannot read for its depth is JSON all the same; what is cut is none."""
    deep = b"[" * 10**5 + b"]" * 10**5
    reasons = [
        judge_response(
            CATALOGUE["created"], "accept", "createContainer", Response(201, (), body, 0.01)
        ).reason
        for body in (b'{"id": ' + deep + b"}", deep[:10])
    ]
    assert reasons == ["the body is nested too deeply to read", "the body is not a JSON object"]


def test_an_id_that_no_path_can_hold_is_not_used() -> None:
    """A target that answers with ids of megabytes fills neither the log of creates nor later requests."""
    lengths = (255, 256, 300_000)
    found = [read_id(build_response(201, {"id": "a" * length})) for length in lengths]
    assert found == ["a" * 255, None, None]


def test_a_long_value_has_the_length_of_its_text() -> None:
    """The length beside a cut text counts its characters, without quotes and escapes: 300 are not 302."""
    stored = build_response(200, {"usage_prompt": "\n" * 300})
    judgement = judge_readback(CATALOGUE["updated-stored"], [("usage_prompt", "\n" * 1000)], stored)
    ((_, received, expected),) = judgement.differences
    assert received.endswith("… (300 characters)")
    assert expected.endswith("… (1,000 characters)")


@pytest.mark.parametrize(
    ("shown", "outcome"), [(8080.0, "passed"), (8080.5, "violated"), ("8080", "violated")]
)
def test_a_number_is_the_same_in_any_spelling(shown: object, outcome: str) -> None:
    """JSON knows one kind of number: a read-back that shows `8080.0` shows 8080."""
    judgement = judge_readback(
        CATALOGUE["created-stored"], [("exposed_port", 8080)], build_response(200, {"exposed_port": shown})
    )
    assert judgement.outcome == outcome


def test_a_boolean_is_no_number() -> None:
    """A read-back that shows `true` does not show 1."""
    response = build_response(200, {"replica_count": True})
    assert judge_readback(CATALOGUE["created-stored"], [("replica_count", 1)], response).outcome == "violated"
