"""The differences between two documents."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from contract_tests.contract.rules import load_catalogue
from contract_tests.evolution.changes import list_changes, write_out
from contract_tests.mutation.mutants import build_mutants
from tests.contract_tests.evolution.conftest import DOCUMENT, PLAIN

MUTANTS = build_mutants(DOCUMENT)[::15]


def test_each_mutant_is_a_change_that_can_be_applied() -> None:
    """The only change between the contract and a mutant, applied to the contract, gives the mutant."""
    for mutant in MUTANTS:
        new = mutant.apply(DOCUMENT)
        (change,) = list_changes(DOCUMENT, new)
        assert json.dumps(change.apply(DOCUMENT), sort_keys=True) == json.dumps(new, sort_keys=True), (
            mutant.id
        )


def test_each_change_names_rules_of_the_contract() -> None:
    """Every change of a constraint names at least one rule, and only rules of the catalogue."""
    catalogue = load_catalogue()
    for mutant in MUTANTS:
        for change in list_changes(DOCUMENT, mutant.apply(DOCUMENT)):
            assert change.rules, mutant.id
            assert set(change.rules) <= set(catalogue), mutant.id


Edit = Callable[[dict[str, Any]], object]


def list_texts(edit: Edit) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the place, the text and the rules of the changes that an edit of the create makes."""
    document = copy.deepcopy(PLAIN)
    edit(document["paths"]["/containers"]["post"])
    return [(c.pointer, c.text, c.rules) for c in list_changes(DOCUMENT, write_out(document))]


def edit_schema(edit: Edit) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the same for an edit of the schema of its body."""
    return list_texts(lambda post: edit(_write_schema(post)))


def _write_schema(post: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = copy.deepcopy(
        DOCUMENT["paths"]["/containers"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    )
    post["requestBody"]["content"]["application/json"]["schema"] = schema
    return schema


def exclude_maximum(schema: dict[str, Any]) -> None:
    """Give a bound of a port by another keyword."""
    del schema["properties"]["exposed_port"]["maximum"]
    schema["properties"]["exposed_port"]["exclusiveMaximum"] = 9


PORT = "/body/properties/exposed_port"


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda s: s["properties"]["exposed_port"].update(minimum=True),
         [(PORT, "minimum 1 -> true", ("exposed-port-range",))]),
        (exclude_maximum,
         [(PORT, "maximum 65535 removed, new exclusiveMaximum 9", ("exposed-port-range",))]),
        (lambda s: s["required"].append("region"),
         [("/body", "region is now required", ("unknown-properties-ignored",))]),
        (lambda s: s["properties"].pop("gpu_count"),
         [("/body/properties", "gpu_count is gone", ("gpu-count-type",))]),
        (lambda s: s.update(then={"required": []}),
         [("/body/then", "external_url is no longer required", ("external-url-required",))]),
        (lambda s: s["properties"]["service_desc"].update(description="other", title="t", examples=["x"]), []),
    ],
    ids=["true is not 1", "bounds of one side", "required", "property", "condition", "descriptions"],
)  # fmt: skip
def test_keywords_are_compared(edit: Edit, expected: list[Any]) -> None:
    """A change names its place, what changed and the rules; keywords that only together say something are one."""
    found = edit_schema(edit)
    assert [(place, text, rules[:1]) for place, text, rules in found] == expected


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda post: post.update(parameters=[]), [("/", "the header parameter X-Team-ID is gone")]),
        (lambda post: post["parameters"].insert(0, {"in": "query", "name": "dry"}),
         [("/", "the query parameter dry is new")]),
        (lambda post: post["responses"].pop("409"), [("/responses", "status 409 is gone")]),
        (lambda post: post["responses"].update({204: post["responses"].pop("201")}),
         [("/responses", "success 201 -> 204")]),
    ],
)  # fmt: skip
def test_parameters_and_responses_are_compared(edit: Edit, expected: list[Any]) -> None:
    """Parameters are compared by place and name, whatever their order, and responses by status."""
    assert [found[:2] for found in list_texts(edit)] == expected


def test_shared_parameters_and_security_make_no_difference() -> None:
    """Parameters of the path and security of the document are the same as those of each operation."""
    document = copy.deepcopy(PLAIN)
    item = document["paths"]["/containers"]
    item["parameters"] = item["post"].pop("parameters")
    del item["post"]["security"]
    assert list_changes(DOCUMENT, write_out(document)) == []
