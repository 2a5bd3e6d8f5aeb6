"""Each change of the contract is classed, and shown by a request that both contracts answer differently."""

import copy
from fnmatch import fnmatchcase
from typing import Any

import pytest

from contract_tests.evolution.play import Played
from contract_tests.evolution.search import Finding, Limits
from contract_tests.mutation.mutants import Mutant, build_mutants
from contract_tests.mutation.session import load_equivalent
from contract_tests.targets.base import Request
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.contract_tests.evolution.conftest import (
    DOCUMENT,
    PLAIN,
    change_schemas,
    compare,
    list_kinds,
    open_comparison,
)

MUTANTS = {mutant.id: mutant for mutant in build_mutants(DOCUMENT)}
#: Mutants that accept more and less, by the end of their ids: the condition holds for other requests.
BOTH_WAYS = (
    "/body:invert if", "/body:condition-always if", "/body:condition-never if", "/body/if:drop required-service_type",
    "*/body/if/properties/service_type:change const",
)  # fmt: skip
#: What each operator does to the requests that are accepted.
STRICTER = (
    "narrow*", "exclusive*", "close*", "cap*", "floor*", "refuse*", "mandatory*", "add required-*", "drop enum-*",
    "drop anyOf-*", "quantifier-2-98*", "quantifier-1-97*",
)  # fmt: skip
LOOSER = (
    "widen*",
    "nullable*",
    "number*",
    "add enum-*",
    "fold*",
    "unanchor-*",
    "drop*",
    "quantifier-*",
    "optional*",
)
#: Listed mutants that no case may judge, since the pages leave them open; the two contracts differ all the same.
OPEN = (
    "updateContainer:/requestBody:optional required", "*/docker_image:floor minLength-1",
    "*/external_auth_credential_id:refuse pattern-version-4",
    "*/external_url:refuse pattern-no-user*", "*/env_name:floor minLength-1",
)  # fmt: skip


def expect_kinds(mutant: Mutant) -> set[str]:
    """Return how a mutant must be classed if it replaces the contract, from its operator alone."""
    operator = mutant.id.rpartition(":")[2]
    listed = any(fnmatchcase(mutant.id, name) for name in load_equivalent())
    if listed and not any(fnmatchcase(mutant.id, name) for name in OPEN):
        return set()
    if any(fnmatchcase(mutant.id, f"*{end}") for end in BOTH_WAYS):
        return {"breaking", "relaxed"}
    if mutant.keyword == "default":
        return {"response changed"}
    if any(fnmatchcase(operator, pattern) for pattern in STRICTER):
        return {"breaking"}
    assert any(fnmatchcase(operator, pattern) for pattern in LOOSER), mutant.id
    return {"relaxed"}


def check_mutant(mutant: Mutant) -> None:
    """Check the class of a mutant that replaces the contract, and of the contract that replaces the mutant."""
    changed = mutant.apply(DOCUMENT)
    expected = expect_kinds(mutant)
    assert list_kinds(compare(DOCUMENT, changed)) == expected
    swapped = {"breaking": "relaxed", "relaxed": "breaking"}
    assert list_kinds(compare(changed, DOCUMENT)) == {swapped.get(kind, kind) for kind in expected}


SAMPLE = (
    "createContainer:/security:drop",
    "createContainer:/body:invert if",
    "createContainer:/body/properties/service_slug:narrow-class-0-9 pattern-2",
    "updateContainer:/body/properties/external_auth_credential_id/anyOf/0:nullable type",
    "createContainer:/body/properties/gpu_count:change default",
    "updateContainer:/body:add required-usage_prompt",
    "updateContainer:/body/properties/env_config/items/properties/env_name:cap maxLength-255",
    "updateContainer:/body/properties/external_url:drop format",
)


@pytest.mark.parametrize("name", SAMPLE)
@pytest.mark.slow
def test_a_mutant_is_classed_in_both_directions(name: str) -> None:
    """A mutant as the new contract has its class with a witness; as the old contract, the opposite one."""
    check_mutant(MUTANTS[name])


@pytest.mark.exhaustive
@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda mutant: mutant.id)
def test_every_mutant_is_classed_in_both_directions(mutant: Mutant) -> None:
    """Each mutant as the new contract has its class with a witness; as the old contract, the opposite one."""
    check_mutant(mutant)


def test_a_contract_does_not_differ_from_itself() -> None:
    """A contract and a copy with other descriptions, examples and rules have no changes, and nothing is sent."""
    described = change_schemas(
        lambda schemas: schemas["ExposedPort"].update({"description": "x", "x-rules": {}})
    )
    comparison = open_comparison(PLAIN, described)
    assert list(comparison.search()) == []
    assert comparison.budget.requests == 0


def test_references_make_no_difference() -> None:
    """A contract whose references are written out is the same contract."""
    assert compare(PLAIN, DOCUMENT) == []


def send_witness(document: Any, witness: Played) -> int:
    """Send the last request of a witness of one request to a new mock, and return the status."""
    exchange = witness.exchanges[0][-1]
    headers = [(name, value.replace("$TOKEN", "sk-red-5f0c7c1e9a")) for name, value in exchange.headers]
    request = Request(exchange.method, "/containers", tuple(headers), (exchange.body or "").encode())
    return WsgiTarget(create_app(spec=document)).send(request).status


def test_the_witness_proves_the_change() -> None:
    """The request of a witness is accepted by a mock with the old contract, and refused by one with the new one."""
    new = change_schemas(lambda schemas: schemas["ExposedPort"].update(maximum=9000))
    finding = compare(PLAIN, new)[0]
    assert finding.witness
    assert '"exposed_port": 9001' in (finding.witness.exchanges[0][-1].body or "")
    assert [send_witness(document, finding.witness) for document in (PLAIN, new)] == [201, 400]


def describe(findings: list[Finding]) -> set[tuple[str | None, str, str]]:
    """Return the kind, the place and the text of each finding."""
    return {
        (each.kind, f"{each.change.operation} {each.change.pointer}", each.change.text) for each in findings
    }


def rename_property(schemas: dict[str, Any]) -> None:
    """Rename a required property of a create, and let another one default to something else."""
    create = schemas["ServiceCreate"]
    create["properties"]["title"] = create["properties"].pop("display_name")
    create["required"] = ["service_slug", "title"]
    create["properties"]["replica_count"]["default"] = 2


def test_several_changes_are_told_apart() -> None:
    """Each of several changes of one operation has its own class and witness, though all are made at once."""
    create = "createContainer /body"
    assert describe(compare(PLAIN, change_schemas(rename_property))) == {
        ("relaxed", create, "display_name is no longer required"),
        ("breaking", create, "title is now required"),
        ("relaxed", f"{create}/properties", "display_name is gone"),
        ("breaking", f"{create}/properties", "title is new"),
        ("response changed", f"{create}/properties/replica_count", "default 1 -> 2"),
    }


def test_constraints_between_properties_are_found() -> None:
    """A property that needs another one, which is new, breaks clients, and so does the new one."""

    def tighten(schemas: dict[str, Any]) -> None:
        schemas["ServiceUpdate"]["dependentRequired"] = {"usage_prompt": ["token"]}
        schemas["ServiceUpdate"]["properties"]["token"] = {"type": "string", "maxLength": 5}

    found = describe(compare(PLAIN, change_schemas(tighten)))
    assert {(kind, text.partition(" ")[0]) for kind, _, text in found} == {
        ("breaking", "new"),
        ("breaking", "token"),
    }


def test_changes_that_only_together_make_a_difference_are_found() -> None:
    """Two bounds of a slug refuse a short one, so only a contract without both accepts it."""
    loose = {"minLength": 2, "pattern": "^[a-z0-9][a-z0-9-]{0,98}[a-z0-9]$"}
    new = change_schemas(lambda schemas: schemas["ServiceSlug"].update(loose))
    comparison = open_comparison(PLAIN, new, Limits(max_requests=60))
    found = [(finding.kind, finding.change.text.partition(" ")[0]) for finding in comparison.search()]
    assert found == [(None, "minLength"), (None, "pattern"), ("relaxed", "several")]


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("ServiceCreate", {"patternProperties": {"^x-": {"type": "integer"}}}, {"breaking"}),
        ("ServiceCreate", {"additionalProperties": {"type": "string"}}, {"breaking"}),
        ("ServiceUpdate", {"minProperties": 1}, {"breaking"}),
        ("DisplayName", {"enum": [{}, "Fixture", None]}, {"breaking"}),
        ("GpuCount", {"type": ["integer", "string"]}, {"relaxed"}),
        ("RequiredLabels", {"contains": {"const": "gpu"}}, {"breaking"}),
        ("DockerImage", {"allOf": [{"minLength": 3}, {"pattern": ":"}]}, {"breaking"}),
    ],
)  # fmt: skip
def test_keywords_that_the_contract_does_not_use_are_compared(
    name: str, change: dict[str, Any], expected: set[str]
) -> None:
    """Other keywords of JSON Schema have their witness, too."""
    assert (
        list_kinds(compare(PLAIN, change_schemas(lambda schemas: schemas[name].update(change)))) == expected
    )


def move_operation(document: dict[str, Any]) -> None:
    """Move the create to another path."""
    document["paths"]["/services"] = document["paths"].pop("/containers")


def remove_operation(document: dict[str, Any]) -> None:
    """Remove the update."""
    del document["paths"]["/containers/{serviceId}"]


def change_status(document: dict[str, Any]) -> None:
    """Let a create succeed with another status."""
    responses = document["paths"]["/containers"]["post"]["responses"]
    responses["200"] = responses.pop("201")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (move_operation, ("breaking", "createContainer /", "POST /containers is now POST /services")),
        (remove_operation, ("breaking", "updateContainer /", "PUT /containers/{serviceId} is gone")),
        (change_status, ("response changed", "createContainer /responses", "success 201 -> 200")),
    ],
)
def test_operations_and_statuses_are_compared(change: Any, expected: tuple[str, str, str]) -> None:
    """An operation that is moved or gone breaks clients; another status of a success changes a response."""
    document = copy.deepcopy(PLAIN)
    change(document)
    assert describe(compare(PLAIN, document)) == {expected}


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        ({"required": []}, "response changed", "id is no longer required"),
        ({"maxProperties": 5}, None, "new maxProperties 5"),
    ],
    ids=["breaks", "safe"],
)
def test_a_change_of_the_document_alone_has_no_witness(
    change: dict[str, Any], kind: str | None, text: str
) -> None:
    """What no request shows has no class if it is safe for clients; else it is a changed response."""
    new = change_schemas(lambda schemas: schemas["CreatedResource"].update(change))
    (finding,) = compare(PLAIN, new)
    assert (finding.witness, finding.breaks_clients) == (None, kind is not None)
    place = "createContainer /responses/201/content/application/json/schema"
    assert describe([finding]) == {(kind, place, text)}


def test_limits_end_a_search() -> None:
    """A search ends with the request that reaches the limit."""
    new = change_schemas(lambda schemas: schemas["ServiceSlug"].pop("minLength"))
    comparison = open_comparison(PLAIN, new, Limits(max_requests=50))
    assert [finding.kind for finding in comparison.search()] == [None]
    assert comparison.budget.is_spent
    assert comparison.budget.requests < 60
