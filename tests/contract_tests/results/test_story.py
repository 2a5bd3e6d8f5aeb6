"""The sentence about a case of several requests."""

from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.results.judge import Judgement
from contract_tests.results.story import tell_story
from contract_tests.targets.exchange import Exchange

CREATE, UPDATE, READ = Step(), Step("updateContainer", body={}), Step("readContainer")
VIOLATED = Judgement("violated", "slug-unique")


def create(slug: str = "a", **changes: Any) -> Step:
    """Build a create with a slug label."""
    return Step(slug=slug, **changes)


def update(body: Any = None, **changes: Any) -> Step:
    """Build an update."""
    return Step("updateContainer", body=body or {}, **changes)


def answer(status: int, caller: str = "sk-red") -> Exchange:
    """Build an exchange."""
    return Exchange(caller, "POST", "http://h", (), "{}", status, (), "", "", "2026-01-01T00:00:00Z", 0.1)


def tell(
    *pairs: tuple[Step, Exchange | None], layer: Any = "lifecycle", judgement: Judgement = VIOLATED
) -> str:
    """Return the sentence about steps and their exchanges."""
    case = Case("c", "slug-unique", layer, tuple(step for step, _ in pairs))
    return tell_story(case, [exchange for _, exchange in pairs if exchange], judgement)


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        pytest.param([(create(), answer(201))], "", id="one request"),
        pytest.param(
            [(create(), answer(201)), (create(expect="refuse"), answer(201))],
            "After a service was created with a slug, a create with the same slug was accepted (201); "
            "it must be refused.",
            id="slug again",
        ),
        pytest.param(
            [
                (create(), answer(201)),
                (update(slug="b", expect="open"), answer(200)),
                (create(expect="refuse"), answer(201)),
            ],
            "After a service was created with a slug and an update of the service that named another slug was "
            "accepted, a create with the first slug was accepted (201); it must be refused.",
            id="slug of an update",
        ),
        pytest.param(
            [(CREATE, answer(201)), (update({"a": None}, expect="refuse"), answer(200))],
            "After a service was created, an update of the service that sent null as a was accepted (200); "
            "it must be refused.",
            id="null",
        ),
        pytest.param(
            [(create(), answer(400)), (create(expect="accept"), answer(409))],
            "After a create with a slug was refused (400), a create with the same slug was refused (409); "
            "it must be accepted.",
            id="slug of a refused create",
        ),
        pytest.param(
            [(CREATE, answer(201)), (update({"a": 1}, expect="refuse"), answer(200, "sk-blue"))],
            "After a service was created by sk-red, an update of the service that set a by sk-blue was accepted "
            "(200); it must be refused.",
            id="two callers",
        ),
        pytest.param(
            [(Step(team="red"), answer(201)), (update(team="blue", expect="refuse"), answer(200))],
            "After a service was created by sk-red for team red, an update of the service by sk-red for team blue "
            "was accepted (200); it must be refused.",
            id="two teams",
        ),
        pytest.param(
            [
                (CREATE, answer(201)),
                (Step("setStatus", status="stopping"), None),
                (update(expect="refuse"), answer(500)),
            ],
            "After a service was created and the status of the service was set to stopping, an update of the "
            "service got a server error (500).",
            id="status",
        ),
        pytest.param(
            [
                (create(), answer(201)),
                *[(Step(as_=f"other-{n}"), answer(201)) for n in range(20)],
                (create(expect="refuse"), answer(201)),
            ],
            "After a service was created with a slug and 20 other services were created, a create with the same "
            "slug was accepted (201); it must be refused.",
            id="many others",
        ),
        pytest.param(
            [
                (Step(as_="other"), answer(201)),
                (Step(as_="updated"), answer(201)),
                (update({"a": 1}, service="updated"), answer(200)),
                (update(service="other", expect="accept"), answer(400)),
            ],
            "After a service was created, another service was created and an update of the second service that "
            "set a was accepted, an update of the first service was refused (400); it must be accepted.",
            id="named services",
        ),
        pytest.param(
            [
                (create(), answer(201)),
                *[(update({name: 1}), answer(200)) for name in "abcd"],
                (create(expect="refuse"), answer(201)),
            ],
            "After a service was created with a slug, an update of the service that set a was accepted, one other "
            "request was sent, an update of the service that set c was accepted and an update of the service that "
            "set d was accepted, a create with the same slug was accepted (201); it must be refused.",
            id="one left out",
        ),
        pytest.param(
            [
                (create(), answer(201)),
                *[(update({name: 1}), answer(200)) for name in "abcdefgh"],
                (create(expect="refuse"), answer(201)),
            ],
            "After a service was created with a slug, an update of the service that set a was accepted, five "
            "other requests were sent, an update of the service that set g was accepted and an update of the "
            "service that set h was accepted, a create with the same slug was accepted (201); it must be refused.",
            id="long",
        ),
        pytest.param(
            [
                (CREATE, answer(201)),
                *[(update({"a": 1}), answer(200))] * 6,
                (update(expect="accept"), answer(400)),
            ],
            "After a service was created and an update of the service that set a was accepted six times, an update "
            "of the service was refused (400); it must be accepted.",
            id="repeated",
        ),
    ],
)
def test_sentence_tells_the_requests_in_order(
    pairs: list[tuple[Step, Exchange | None]], sentence: str
) -> None:
    """The sentence names the requests, their callers and slugs if they matter, and the correct outcome."""
    assert tell(*pairs) == sentence


def test_readback_tells_the_first_difference() -> None:
    """The sentence about a read-back names the first property that differs, and the number of the others."""
    judgement = Judgement(
        "violated", "r", differences=(("a", "absent", "1"), ("b", "2", "3"), ("c", "4", "5"))
    )
    assert tell((CREATE, answer(201)), (READ, answer(200)), judgement=judgement) == (
        "After a service was created, the read-back of the service showed no a in place of 1 and 2 more differences."
    )


def test_a_create_is_told_with_the_property_that_its_rule_is_about() -> None:
    """A sentence about the slug alone would blame a create that is right but for its replica_count."""
    body = {"display_name": "Traced", "docker_image": "nginx:1.27", "replica_count": 11}
    pairs = (create(), answer(201, "sk-blue")), (create(body=body, expect="refuse"), answer(201))
    assert tell(*pairs, judgement=Judgement("violated", "replica-count-range")) == (
        "After a service was created with a slug by sk-blue, a create with the same slug by sk-red that set "
        "replica_count was accepted (201); it must be refused."
    )


def test_race_tells_the_responses() -> None:
    """The sentence about a race counts the responses by status."""
    raced = create(expect="open")
    pairs = [(raced, answer(status)) for status in (201, 409, 201)]
    assert tell(*pairs, layer="race") == (
        "Three creates with the same slug were sent at the same moment: two got 201 and one got 409; "
        "only one may be accepted."
    )


def test_value_of_the_create_is_told() -> None:
    """A read-back that shows what the create had sent says so: a later update was lost."""
    judgement = Judgement("violated", "r", differences=(("a", "1", "2"),))
    pairs = [(create(body={"a": 1}), answer(201)), (update({"a": 2}), answer(200)), (READ, answer(200))]
    assert tell(*pairs, judgement=judgement).endswith("showed a 1, its value at creation, in place of 2.")
