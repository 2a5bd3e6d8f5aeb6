"""Files and options that nobody can use: one line, and exit code 2."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract_tests.contract.resources import data_file
from tests.support.gate.odd_servers import closed_port, run_command

pytestmark = pytest.mark.timeout(120)

MOCK = "wsgi:mock_server:create_app"
OPERATION = {"operationId": "createContainer"}
PATHS: dict[str, Any] = {
    "null": None,
    "array": [1],
    "number-for-a-path": {"/containers": 5},
    "null-for-an-operation": {"/containers": {"post": None}},
    "no-operation-id": {"/containers": {"post": {}}},
    "operation-id-array": {"/containers": {"post": {"operationId": ["a"]}}},
    "body-array": {"/containers": {"post": {**OPERATION, "requestBody": []}}},
    "content-array": {"/containers": {"post": {**OPERATION, "requestBody": {"content": [1]}}}},
    "content-array-behind-a-reference": {
        "/containers": {"post": {**OPERATION, "requestBody": {"$ref": "#/x"}}}
    },
    "media-type-text": {"/a": {"post": {**OPERATION, "requestBody": {"content": {"application/json": "a"}}}}},
    "integer-path": {5: {"post": OPERATION}},
    "no-operation": {"x-note": 5, "/other": {}},
}


def assert_unusable(*arguments: str | Path) -> str:
    """Assert that a command ends with one line and exit code 2; return the line."""
    done = run_command(*arguments, timeout=60)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert done.err.startswith("contract-tests: ")
    return done.err


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.slow
def test_a_document_without_usable_operations(name: str, tmp_path: Path) -> None:
    """Paths, operations and bodies of other types are named by their place in the file."""
    file = tmp_path / "openapi.yaml"
    file.write_text(yaml.safe_dump({"openapi": "3.1.0", "paths": PATHS[name], "x": {"content": [1]}}))
    assert str(file) in assert_unusable("run", "--target", MOCK, "--spec", file)


@pytest.mark.parametrize(
    ("key", "value"), [("id", 1), ("kind", 1), ("operations", 1), ("status", None), ("needs", False)]
)
@pytest.mark.slow
def test_a_catalogue_with_values_of_other_types(key: str, value: object, tmp_path: Path) -> None:
    """The line names the file beside the document, and the place in it."""
    (tmp_path / "openapi.yaml").write_bytes(data_file("spec/openapi.yaml").read_bytes())
    catalogue = yaml.safe_load(data_file("spec/rules.yaml").read_text("utf-8"))
    catalogue["rules"][0][key] = value
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(catalogue), "utf-8")
    line = assert_unusable("run", "--target", MOCK, "--spec", tmp_path / "openapi.yaml")
    assert f"{tmp_path / 'rules.yaml'}: rules[0].{key}: expected" in line


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        (("run", "--target", MOCK, "--spec", "/dev/zero"), 64),
        (("run", "--target", MOCK, "--waivers", "/dev/zero"), 64),
        (("replay", "/dev/zero", "--target", MOCK), 256),
        (("check", "/dev/zero"), 256),
    ],
    ids=["spec", "waivers", "finding", "recording"],
)
@pytest.mark.slow
def test_a_file_without_end(arguments: tuple[str, ...], size: int) -> None:
    """No more than the limit is read of a file."""
    assert f"/dev/zero is larger than {size} MiB" in assert_unusable(*arguments)


@pytest.mark.slow
def test_a_document_with_too_many_values(tmp_path: Path) -> None:
    """A document with millions of values is refused before they are built."""
    file = tmp_path / "openapi.yaml"
    file.write_text("paths:\n" + "- a\n" * 500_000)
    assert "too many values" in assert_unusable("run", "--target", MOCK, "--spec", file)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the state of a finished run."""
    folder = tmp_path_factory.mktemp("report")
    short = ("--layers", "race", "-k", "slug-unique", "--min-judged", "0", "--quiet")
    assert run_command("run", "--target", MOCK, *short, "--report", folder).code in (0, 1)
    loaded: dict[str, Any] = json.loads((folder / "state.json").read_text("utf-8"))
    return loaded


@pytest.mark.parametrize(
    "change",
    [
        {"shard": [1, 10**9]},
        {"seconds": float("inf")},
        {"seconds": float("nan")},
        {"seconds": 10**400},
        {"min_judged": float("nan")},
        {"rounds": 10**400},
        {"layers": {"race": {"cases": 1, "requests": 1, "seconds": float("nan")}}},
    ],
    ids=["shards", "infinite", "nan", "huge", "share", "rounds", "layer"],
)
@pytest.mark.slow
def test_a_state_with_absurd_numbers(change: dict[str, Any], state: dict[str, Any], tmp_path: Path) -> None:
    """A number of shards or of seconds beyond all measure is refused."""
    (tmp_path / "state.json").write_text(json.dumps(state | change), "utf-8")
    assert str(tmp_path / "state.json") in assert_unusable("merge", tmp_path)


def test_a_report_folder_that_links_to_itself(tmp_path: Path) -> None:
    """A circle of links is no folder for reports, for each command that writes some."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert str(loop) in assert_unusable("run", "--target", closed_port(), "--report", loop)
    assert str(loop) in assert_unusable("merge", tmp_path, "--report", loop)


@pytest.mark.parametrize("option", ["--min-judged", "--confidence", "--fault-rate"])
@pytest.mark.parametrize("value", ["nan", "NaN", "-0.1", "2"])
@pytest.mark.slow
def test_a_share_is_a_number(option: str, value: str) -> None:
    """A share, a rate and a percentage are numbers within their range."""
    done = run_command("run", "--target", MOCK, option, value)
    assert (done.code, f"Invalid value for '{option}'" in done.err) == (2, True)


@pytest.mark.slow
def test_the_contract_itself_is_usable() -> None:
    """The shipped document passes the checks of a document."""
    assert (
        run_command("mutate", "--target", MOCK, "--spec", data_file("spec/openapi.yaml"), "--list").code == 0
    )
