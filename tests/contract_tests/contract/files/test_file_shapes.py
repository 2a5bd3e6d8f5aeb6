"""Files of other hands: what they are, and one line for what cannot be used."""

import json
from pathlib import Path

import pytest

from contract_tests.contract.files.file_shapes import Shape, find_kind, load_json_file, read_document

DOCUMENTS = {
    "report": '{"findings": [], "rules": [], "callers": [], "started": "2026-11-28"}',
    "finding": '{"case": {}, "exchanges": [], "rule": "a"}',
    "state": '{"tally": {}, "given": {}, "rules": [], "callers": []}',
    "recording": '{"log": {}}',
    "profile": '{"choices": {}}',
    "callers": '{"callers": [], "teams": {}}',
    "contract": '{"openapi": "3.1.0"}',
}
EXCHANGE = {
    **dict.fromkeys(("caller", "url", "body", "reply_body", "reason", "started"), ""),
    "headers": [],
    "reply_headers": [],
    "status": 400,
    "seconds": 0,
}
READ: tuple[Shape, ...] = ("report", "finding", "state", "recording")


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_document_tells_its_kind(kind: str, tmp_path: Path) -> None:
    """The keys of a document tell what it is, also where it shares some with others."""
    file = tmp_path / "document"
    file.write_text(DOCUMENTS[kind])
    assert find_kind(read_document(file)) == kind


@pytest.mark.parametrize("document", [None, [], "text", {}, {"more": 1}])
def test_other_documents_are_of_no_kind(document: object) -> None:
    """A document without known keys has no kind."""
    assert find_kind(document) == ""


@pytest.mark.parametrize(
    ("shape", "kind"), [(shape, kind) for shape in READ for kind in DOCUMENTS if kind != shape]
)
def test_another_kind_of_file_is_named(shape: Shape, kind: str, tmp_path: Path) -> None:
    """One line says what the file is, what is wanted, and where that is."""
    file = tmp_path / "document.json"
    file.write_text(DOCUMENTS[kind])
    with pytest.raises(ValueError, match=r"document\.json is (an?|the) .*, not (an?|the) .*; name ") as error:
        load_json_file(file, shape)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory; name a file of findings/ in a report folder"),
        (b"{", "is not JSON, or only a part of it; name a file of findings/"),
        (b"\xff", "is not JSON, or only a part of it"),
        (b"[" * 100_000, "is not JSON, or only a part of it"),
        (b"[]", "finding: expected object"),
        (b"{}", "'case' is a required property"),
    ],
    ids=["missing", "cut", "bytes", "deep", "array", "empty"],
)
def test_an_unusable_file_is_one_line(content: bytes | None, message: str, tmp_path: Path) -> None:
    """What is missing, unreadable or wrongly shaped is a ValueError with the name of the file."""
    file = tmp_path / "finding.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        load_json_file(file, "finding")
    assert str(error.value).startswith(str(file))


@pytest.mark.parametrize("value", ["!!timestamp x", "!!bool x", "!!int ''", "2026-13-01", "9" * 5000])
def test_a_value_that_does_not_fit_its_type_is_one_line(value: str, tmp_path: Path) -> None:
    """A wrong tag, a date that is none and a number with too many digits are named by file and line."""
    file = tmp_path / "callers.yaml"
    file.write_text(f"callers:\n- a: {value}\n")
    with pytest.raises(ValueError, match=r"callers\.yaml is not YAML: a value that .* line 2"):
        read_document(file)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A folder in place of a file says so."""
    with pytest.raises(ValueError, match="Is a directory; name a HAR file"):
        load_json_file(tmp_path, "recording")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("exchanges", [{**EXCHANGE, "method": 'GET", x'}], "exchanges.0..method: expected one of GET"),
        ("differences", 5, "differences: expected array"),
        ("differences", [{"property": 'a")'}], "differences.0..property: expected a text that matches"),
    ],
    ids=["method", "type", "property"],
)
def test_a_finding_names_methods_and_properties(
    key: str, value: object, message: str, tmp_path: Path
) -> None:
    """A finding has the methods of the contract, and differences with names of properties."""
    file = tmp_path / "finding.json"
    case = {"id": "a", "rule": "a", "layer": "cases", "steps": [{}]}
    file.write_text(json.dumps({"case": case, "exchanges": [], key: value}))
    with pytest.raises(ValueError, match=message):
        load_json_file(file, "finding")
