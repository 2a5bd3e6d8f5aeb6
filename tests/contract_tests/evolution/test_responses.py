"""Which changes of responses break the clients that read them."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from contract_tests.evolution.changes import list_changes, write_out
from contract_tests.evolution.responses import breaks_readers
from tests.contract_tests.evolution.conftest import DOCUMENT, change_schemas

Change = Callable[[dict[str, Any]], object]


def change_answer(keyword: str, value: Any, old: Mapping[str, Any] = DOCUMENT) -> list[bool]:
    """Return which changes break readers if a keyword of the id in the response to a create changes."""
    new = write_out(
        change_schemas(
            lambda schemas: schemas["CreatedResource"]["properties"]["id"].update({keyword: value})
        )
    )
    return [breaks_readers(change, old) for change in list_changes(old, new)]


@pytest.mark.parametrize(
    ("keyword", "value", "breaks"),
    [
        ("type", "integer", True),
        ("type", ["string", "null"], True),
        ("format", "uri", True),
        ("anyOf", [{"type": "string"}], True),
        ("maxLength", 36, False),
        ("pattern", "^0", False),
        ("enum", ["a"], False),
    ],
)
def test_less_is_safe_and_more_is_not(keyword: str, value: Any, breaks: bool) -> None:
    """A keyword that allows other values than before breaks readers; one that only excludes some does not."""
    assert change_answer(keyword, value) == [breaks]


@pytest.mark.parametrize(
    ("keyword", "values", "breaks"),
    [("maxLength", (36, 40), True), ("maxLength", (40, 36), False), ("minLength", (2, 1), True),
     ("enum", (["a"], ["a", "b"]), True), ("enum", (["a", "b"], ["a"]), False),
     ("type", ("number", "integer"), False), ("type", (True, "string"), True), ("maxLength", (1, "a"), True)],
)  # fmt: skip
def test_bounds_are_compared(keyword: str, values: tuple[Any, Any], breaks: bool) -> None:
    """A wider bound or type, a further value, and what the keyword cannot have break readers."""
    old = write_out(
        change_schemas(
            lambda schemas: schemas["CreatedResource"]["properties"]["id"].update({keyword: values[0]})
        )
    )
    assert change_answer(keyword, values[1], old) == [breaks]


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        (lambda answers: answers.update({"202": answers.pop("201")}), [True]),
        (lambda answers: answers["201"].pop("content"), [True]),
        (
            lambda answers: answers["201"].update(headers={"Location": {"schema": {"type": "string"}}}),
            [False],
        ),
        (lambda answers: answers.pop("409"), [False]),
        (lambda answers: answers.update({"429": {"description": "Too many requests."}}), [False]),
    ],
    ids=["status", "no-content", "new-header", "refusal-gone", "refusal-new"],
)
def test_statuses_and_parts_of_responses(change: Change, breaks: list[bool]) -> None:
    """Another status of a success and a part that is gone break readers; another refusal does not."""
    new = change_schemas(lambda _: None)
    change(new["paths"]["/containers"]["post"]["responses"])
    assert [breaks_readers(each, DOCUMENT) for each in list_changes(DOCUMENT, write_out(new))] == breaks


def test_a_required_property_may_be_missing() -> None:
    """A property that a response need not have any more breaks readers, one that it must have does not."""
    new = write_out(change_schemas(lambda schemas: schemas["CreatedResource"].pop("required")))
    assert [breaks_readers(change, DOCUMENT) for change in list_changes(DOCUMENT, new)] == [True]
    assert [breaks_readers(change, new) for change in list_changes(new, DOCUMENT)] == [False]


def test_requests_are_another_matter() -> None:
    """What a request may have is never judged here: a request shows it."""
    new = write_out(change_schemas(lambda schemas: schemas["ExposedPort"].pop("maximum")))
    assert not any(breaks_readers(change, DOCUMENT) for change in list_changes(DOCUMENT, new))
