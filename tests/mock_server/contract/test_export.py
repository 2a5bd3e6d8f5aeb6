"""The contract is valid OpenAPI, and its views and a second validator agree with it."""

import copy
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from mock_server.contract import document, export, loader
from mock_server.contract.model import Schema
from tests.support.fixture_player import load

DOCUMENT = load("spec/openapi.yaml")
OPERATIONS = {operation.id: operation for operation in loader.build_contract(DOCUMENT, {}).operations}
VIEWS = {
    "one-of": export.export_view(DOCUMENT, one_of=True),
    "3.0": export.export_view(DOCUMENT, version="3.0"),
    "3.0-one-of": export.export_view(DOCUMENT, one_of=True, version="3.0"),
}


def to_2020_12(node: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON Schema 2020-12."""
    if isinstance(node, list):
        return [to_2020_12(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: to_2020_12(value) for key, value in node.items() if key != "nullable"}
    if not node.get("nullable"):
        return result
    return {"anyOf": [result, {"type": "null"}]}


def compile_schemas(openapi: dict[str, Any]) -> dict[str, Schema]:
    """Return the body schemas of a view by operation."""
    inlined = document.inline_references(openapi)
    schemas = {}
    for _, _, _, operation in document.iter_operations(inlined):
        node = operation["requestBody"]["content"]["application/json"]["schema"]
        schemas[operation["operationId"]] = loader.compile_schema(to_2020_12(node), operation["operationId"])
    return schemas


VIEW_SCHEMAS = {name: compile_schemas(view) for name, view in VIEWS.items()}

texts = st.sampled_from(
    ["", "abc", "a-b", "Abc", "abc\n", "ab", "a" * 100, "a" * 101, "deployed", "external"]
)
urls = st.sampled_from(
    ["https://a.example", "http://a.example", "https://", "https://a b", "no", "https://a/é"]
)
uuids = st.sampled_from(["0192f0c1-9a8b-7c6d-9e5f-404142434445", "0192f0c19a8b7c6d9e5f404142434445", "x"])
numbers = st.integers(-3, 12) | st.sampled_from([65535, 65536, 8080.0, 1.5, True])
pairs = st.lists(
    st.dictionaries(
        st.sampled_from(["env_name", "env_value", "host_path", "container_path"]), texts | numbers
    )
)
names = sorted({*OPERATIONS["createContainer"].properties.known, "unknown"})
values = texts | urls | uuids | numbers | st.none() | pairs | st.lists(texts | numbers, max_size=3)
likely = st.fixed_dictionaries(
    {"service_slug": texts, "display_name": texts},
    optional={
        "service_type": st.sampled_from(["deployed", "external", "Deployed", None]),
        "docker_image": texts,
        "external_url": urls,
        "external_auth_credential_id": uuids | st.none(),
        "exposed_port": numbers,
        "env_config": pairs,
        "volume_config": pairs,
        "gpu_count": numbers,
    },
)
bodies = likely | st.dictionaries(st.sampled_from(names), values, max_size=6) | values


def _accepts(schema: Schema, body: Any) -> bool:
    return schema.validator.is_valid(body)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_accepts_the_same_bodies(view: str, operation: str) -> None:
    """A view accepts exactly the bodies that the contract accepts."""
    schema = OPERATIONS[operation].body
    assert schema is not None

    @settings(max_examples=400, deadline=None, database=None)
    @given(bodies)
    def agrees(body: Any) -> None:
        assert _accepts(VIEW_SCHEMAS[view][operation], body) == _accepts(schema, body)

    agrees()


CONDITIONAL = [
    {
        "service_slug": "abc",
        "display_name": "d",
        **({"service_type": kind} if kind else {}),
        **({"docker_image": "n"} if image else {}),
        **({"external_url": "https://a.example"} if url else {}),
    }
    for kind in ("", "deployed", "external", "other")
    for image in (False, True)
    for url in (False, True)
]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "body", CONDITIONAL, ids=lambda body: "-".join([*body][2:]) + body.get("service_type", "")
)
def test_a_view_has_the_conditional_requirements(view: str, body: dict[str, str]) -> None:
    """Each type, with and without an image and a URL, is accepted or refused as by the contract."""
    schema = OPERATIONS["createContainer"].body
    assert schema is not None
    assert _accepts(VIEW_SCHEMAS[view]["createContainer"], body) == _accepts(schema, body)


#: Slugs about which the validators disagree, and the reason.
KNOWN_DIFFERENCES = {"abc\n": "Python's $ matches before a final newline"}


def validators_agree_on(body: Any) -> bool:
    """Return whether the validators are expected to agree on a body."""
    slug = body.get("service_slug") if isinstance(body, dict) else None
    return not isinstance(slug, str) or slug not in KNOWN_DIFFERENCES


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_second_validator_agrees(operation: str) -> None:
    """Pure-Python jsonschema accepts the same bodies, except for the listed slugs."""
    schema = OPERATIONS[operation].body
    assert schema is not None
    checker = jsonschema.FormatChecker()
    checker.checks("uri")(lambda text: not isinstance(text, str) or _is_uri(text))
    second = jsonschema.Draft202012Validator(schema.node, format_checker=checker)

    @settings(max_examples=400, deadline=None, database=None)
    @given(bodies.filter(validators_agree_on))
    def agrees(body: Any) -> None:
        assert second.is_valid(body) == _accepts(schema, body)

    agrees()


def _is_uri(text: str) -> bool:
    """Return whether a URI of the strategy is valid: it has an ASCII scheme and no blank."""
    return text.isascii() and ":" in text and " " not in text and "\n" not in text


@pytest.mark.parametrize("slug", KNOWN_DIFFERENCES)
def test_a_listed_difference_exists(slug: str) -> None:
    """The mock refuses a slug that the second validator accepts."""
    schema = OPERATIONS["createContainer"].body
    assert schema is not None
    body = {"service_slug": slug, "display_name": "d", "docker_image": "n"}
    assert (jsonschema.Draft202012Validator(schema.node).is_valid(body), _accepts(schema, body)) == (
        True,
        False,
    )


@pytest.mark.parametrize("name", ["spec/openapi.yaml", "spec/readback.yaml"])
def test_a_document_is_valid_openapi(name: str) -> None:
    """openapi-spec-validator finds no error."""
    assert list(OpenAPIV31SpecValidator(load(name)).iter_errors()) == []


VALIDATORS = {
    "one-of": OpenAPIV31SpecValidator,
    "3.0": OpenAPIV30SpecValidator,
    "3.0-one-of": OpenAPIV30SpecValidator,
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_valid_openapi(view: str) -> None:
    """openapi-spec-validator finds no error for the version of the view."""
    assert list(VALIDATORS[view](VIEWS[view]).iter_errors()) == []


#: The components that `oneOf` adds to those of the contract.
VARIANTS = {
    "DeployedServiceCreate",
    "DeployedServiceType",
    "ExternalServiceCreate",
    "ExternalServiceType",
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_keeps_the_components_by_name(view: str) -> None:
    """A view has the components of the contract and the two variants of a create, and refers to them."""
    components, contract = VIEWS[view]["components"], DOCUMENT["components"]
    added = {kind: set(components[kind]) - set(contract[kind]) for kind in components}
    assert {kind: set(named) for kind, named in contract.items()} == {
        kind: set(named) - added[kind] for kind, named in components.items()
    }
    assert {kind: names for kind, names in added.items() if names} == {"schemas": VARIANTS}
    body = VIEWS[view]["paths"]["/containers"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/ServiceCreate"}
    assert components["schemas"]["ServiceCreate"]["oneOf"] == [
        {"$ref": "#/components/schemas/ExternalServiceCreate"},
        {"$ref": "#/components/schemas/DeployedServiceCreate"},
    ]


def list_nodes(node: Any) -> list[dict[str, Any]]:
    """Return a node and its children that are objects."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    below = [found for child in children for found in list_nodes(child)]
    return [node, *below] if isinstance(node, dict) else below


def test_a_reference_of_openapi_3_0_has_no_siblings() -> None:
    """Where a property has a default beside its type, the reference is within `allOf`."""
    nodes = list_nodes(VIEWS["3.0"])
    assert [node for node in nodes if "$ref" in node and len(node) > 1] == []
    port = VIEWS["3.0"]["components"]["schemas"]["DeployedServiceCreate"]["properties"]["exposed_port"]
    assert port == {"allOf": [{"$ref": "#/components/schemas/ExposedPort"}], "default": 8080}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_no_word_that_generators_misread(view: str) -> None:
    """A view has neither rules nor `additionalProperties: true`, which would type misspelt names."""
    keys = {key for node in list_nodes(VIEWS[view]) for key in node}
    assert keys & {"x-rules", "additionalProperties", "if", "then", "else"} == set()


def test_an_export_does_not_change_the_document() -> None:
    """The document is the same after all views are exported."""
    before = copy.deepcopy(DOCUMENT)
    for one_of in (False, True):
        for version in ("3.0", "3.1"):
            export.export_view(DOCUMENT, one_of=one_of, version=version)
    assert before == DOCUMENT


def test_the_contract_has_exactly_two_operations() -> None:
    """Create and update declare the same refusals."""
    inlined = document.inline_references(DOCUMENT)
    statuses = {
        operation["operationId"]: list(operation["responses"])
        for *_, operation in document.iter_operations(inlined)
    }
    refusals = ["400", "401", "403", "404", "409", "413", "415"]
    assert statuses == {"createContainer": ["201", *refusals], "updateContainer": ["200", *refusals]}


def list_examples() -> list[tuple[str, dict[str, Any], Any]]:
    """Return the name, schema and value of each example."""
    examples = []
    for *_, operation in document.iter_operations(document.inline_references(DOCUMENT)):
        parts = {"request": operation["requestBody"], **operation["responses"]}
        for name, part in parts.items():
            for media in part["content"].values():
                for label, example in media["examples"].items():
                    examples.append(
                        (f"{operation['operationId']}-{name}-{label}", media["schema"], example["value"])
                    )
    return examples


@pytest.mark.parametrize(
    ("name", "schema", "value"), list_examples(), ids=[name for name, *_ in list_examples()]
)
def test_an_example_is_valid(name: str, schema: dict[str, Any], value: Any) -> None:
    """Each example of a request or a response matches its schema."""
    assert loader.compile_schema(schema, name).validator.is_valid(value)
