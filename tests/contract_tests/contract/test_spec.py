"""Documents of other hands are read within bounds, and what is wrong with them is one sentence."""

import json
from pathlib import Path

import pytest

from contract_tests.contract.files.yaml_file import read_yaml
from contract_tests.contract.resources import data_file
from contract_tests.contract.spec import load_document, load_spec, resolve_references

_BILLION = {f"a{n}": {"x": {"$ref": f"#/a{n + 1}"}, "y": {"$ref": f"#/a{n + 1}"}} for n in range(40)}
UNUSABLE = {
    "another file": ({"a": {"$ref": "other.yaml#/b"}}, "no reference within the document"),
    "a host": ({"a": {"$ref": "http://127.0.0.1:1/x.yaml"}}, "no reference within the document"),
    "a host, dynamically": (
        {"a": {"$dynamicRef": "http://127.0.0.1:1/x"}},
        "no reference within the document",
    ),
    "nothing": ({"a": {"$ref": "#/b/c"}}, "points to no object"),
    "itself": ({"a": {"$ref": "#/a"}}, "refers to itself"),
    "a circle": ({"a": {"$ref": "#/b"}, "b": {"c": {"$ref": "#/a"}}}, "refers to itself"),
    "doubled forty times": ({**_BILLION, "a40": {}}, "too large"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_reference_stays_within_the_document_and_its_bounds(name: str) -> None:
    """A reference to a file, a host, nothing or itself is refused, and so is a document that grows too large."""
    document, message = UNUSABLE[name]
    with pytest.raises(ValueError, match=message):
        resolve_references(document, document)


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)),
        "a: &a [*a]",
    ],
    ids=["doubled-forty-times", "in-itself"],
)
def test_aliases_are_bounded(text: str, tmp_path: Path) -> None:
    """A file that its aliases make too large is one sentence."""
    file = tmp_path / "callers.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ValueError, match="too large once its aliases are expanded"):
        read_yaml(file)


def test_merged_keys_are_bounded(tmp_path: Path) -> None:
    """A file that its merge keys make too large is one sentence, before any key is copied."""
    lines = [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 50)}]}}" for n in range(1, 9)]
    file = tmp_path / "callers.yaml"
    file.write_text("\n".join(["a0: &a0 {x: 1}", *lines]), "utf-8")
    with pytest.raises(ValueError, match="too many keys once those of << are copied"):
        read_yaml(file)


def test_a_body_of_several_schemas_is_one_sentence(tmp_path: Path) -> None:
    """A contract for generators, whose create is a union of two schemas, is refused before anything is sent."""
    file = tmp_path / "openapi.yaml"
    document = load_document(data_file("spec/openapi.yaml"))
    document["components"]["schemas"]["ServiceCreate"] = {"oneOf": [{"properties": {}}, {"properties": {}}]}
    file.write_text(json.dumps(document), "utf-8")
    with pytest.raises(ValueError, match="createContainer: expected one schema with properties"):
        load_spec(file)


def test_keys_beside_a_reference_are_merged() -> None:
    """Keys beside a reference replace those of its target; their ``x-rules`` are merged."""
    document = {
        "a": {"$ref": "#/b", "type": "string", "x-rules": {"type": "r"}},
        "b": {"type": "integer", "minimum": 1, "x-rules": {"minimum": "s"}},
    }
    assert resolve_references(document["a"], document) == {
        "type": "string",
        "minimum": 1,
        "x-rules": {"type": "r", "minimum": "s"},
    }


@pytest.mark.parametrize("text", ["paths: [", "[" * 100_000, "a: *b", "just text"])
def test_a_file_that_is_no_document_is_one_sentence(text: str, tmp_path: Path) -> None:
    """Broken, bottomless and other texts are a ValueError that names the file."""
    file = tmp_path / "openapi.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"openapi\.yaml is (not|nested)"):
        load_document(file)
