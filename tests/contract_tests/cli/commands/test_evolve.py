"""The `evolve` command: what it prints and writes, and its exit codes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from contract_tests.cli.main import build_command
from tests.contract_tests.cli.test_unusable_files import PATHS
from tests.contract_tests.evolution.conftest import MOCK, PLAIN, SPEC, change_schemas, write_json
from tests.contract_tests.evolution.test_traffic import DEPLOYED, build_entry

FILES = ("evolution.json", "evolution.md")


def evolve(*arguments: str | Path, target: str = MOCK) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(build_command(), ["evolve", *map(str, arguments), "--target", target])


@pytest.fixture(scope="module")
def stricter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a contract that allows fewer ports, and returns another status."""
    document = change_schemas(lambda schemas: schemas["ExposedPort"].update(maximum=9000))
    responses = document["paths"]["/containers"]["post"]["responses"]
    responses["202"] = responses.pop("201")
    return write_json(tmp_path_factory.mktemp("spec") / "stricter.json", document)


def test_a_missing_file_says_which_one_is_wanted() -> None:
    """A path that leads to no file is one line that names the kind of file."""
    done = evolve("nope.yaml", SPEC)
    assert done.exit_code == 2
    assert "nope.yaml: No such file or directory; name an openapi.yaml of the two operations\n" in done.stderr


def test_what_breaks_is_listed(stricter: Path) -> None:
    """Each change is a line with class, rule and place, and a line with the request; the exit code is 1."""
    done = evolve(SPEC, stricter)
    place = "createContainer /body/properties/exposed_port"
    assert done.exit_code == 1
    assert f"breaking          exposed-port-range: {place}: maximum 65535 -> 9000\n" in done.stdout
    assert re.search(
        r'^  PUT /containers/\$ID {"exposed_port": 9001}: 200 before, 400 now$', done.stdout, re.MULTILINE
    )
    assert done.stdout.splitlines()[-1].startswith("BREAKS CLIENTS: 2 breaking, 1 response changed; ")


def test_quiet_prints_the_outcome_alone(stricter: Path) -> None:
    """With --quiet the outcome is the only line, and the exit code stays."""
    done = evolve(SPEC, stricter, "--quiet")
    assert done.exit_code == 1
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith("BREAKS CLIENTS: 2 breaking, 1 response changed; ")


def test_a_relaxation_breaks_nothing(tmp_path: Path) -> None:
    """More ports and a further property of the response are no break, with exit code 0."""
    old = write_json(
        tmp_path / "old.json", change_schemas(lambda schemas: schemas["ExposedPort"].update(maximum=9000))
    )
    extra = {"extra": {"type": "string"}}
    new = change_schemas(lambda schemas: schemas["CreatedResource"]["properties"].update(extra))
    done = evolve(old, write_json(tmp_path / "new.json", new))
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1].startswith("NOTHING BREAKS: 2 relaxed, 1 no witness found; ")


def test_a_response_that_loses_a_property_breaks_clients(tmp_path: Path) -> None:
    """No request can show what a schema says of responses, so the change itself is listed, with exit code 1."""
    new = change_schemas(lambda schemas: schemas["CreatedResource"]["properties"].pop("id"))
    done = evolve(SPEC, write_json(tmp_path / "new.json", new), "--report", tmp_path)
    assert done.exit_code == 1
    line = next(line for line in done.stdout.splitlines() if "id is gone" in line)
    assert line.startswith("response changed  created: createContainer /responses/201/")
    assert line.endswith("; clients may rely on it, and no request can show it")
    assert done.stdout.splitlines()[-1].startswith("BREAKS CLIENTS: 1 response changed; ")
    assert [each["breaks"] for each in json.loads((tmp_path / "evolution.json").read_text())["changes"]] == [
        True
    ]


def test_a_contract_compared_with_itself() -> None:
    """A contract compared with itself has one line, and exit code 0."""
    done = evolve(SPEC, SPEC)
    assert (done.exit_code, done.stdout) == (0, "NOTHING BREAKS: no observable change; 0 requests\n")


def test_reports_are_the_same_each_time(tmp_path: Path) -> None:
    """Two runs with one seed write the same JSON and Markdown, with the commands of each witness."""
    document = change_schemas(lambda schemas: schemas["HealthPath"].update(pattern="^/[a-z]+$"))
    document["paths"]["/containers"]["post"]["security"] = []
    new, written = write_json(tmp_path / "new.json", document), []
    for name in ("a", "b"):
        evolve(SPEC, new, "--report", tmp_path / name)
        written.append([(tmp_path / name / file).read_text("utf-8") for file in FILES])
    assert written[0] == written[1]
    data = json.loads(written[0][0])
    assert [change["class"] for change in data["changes"]] == ["relaxed", "breaking", "breaking"]
    for change in data["changes"]:
        assert change["witness"]["commands"][-1] in written[0][1]
        assert "curl -i" in change["witness"]["commands"][-1]


def test_long_bodies_are_written_to_files(tmp_path: Path) -> None:
    """The command of a witness with a long body reads it from a file beside the report."""
    new = change_schemas(lambda schemas: schemas["UsagePrompt"].update(maxLength=3000))
    evolve(SPEC, write_json(tmp_path / "new.json", new), "--report", tmp_path)
    data = json.loads((tmp_path / "evolution.json").read_text("utf-8"))
    assert " ./change-1-1.body | curl " in data["changes"][0]["witness"]["commands"][0]
    assert len(json.loads((tmp_path / "change-1-1.body").read_bytes())["usage_prompt"]) == 3001


def test_recorded_calls_that_break_are_listed(stricter: Path, tmp_path: Path) -> None:
    """With a recording, the calls that break are listed by their places in it."""
    entries = [
        build_entry("POST", "/containers", {**DEPLOYED, "exposed_port": port}, 201) for port in (80, 9500)
    ]
    har = write_json(tmp_path / "traffic.har", {"log": {"version": "1.2", "entries": entries}})
    done = evolve(SPEC, stricter, "--traffic", har, "--report", tmp_path)
    assert re.search("^recorded call breaks entry 2: POST /containers ", done.stdout, re.MULTILINE)
    assert "\nrecorded calls: 1 of 2 break\n" in done.stdout
    broken = json.loads((tmp_path / "evolution.json").read_text("utf-8"))["traffic"]["broken"]
    assert [(call["calls"], [change["rules"] for change in call["changes"]]) for call in broken] == [
        ([2], [["exposed-port-range"]])
    ]


def test_a_search_that_its_limits_end_proves_nothing(tmp_path: Path) -> None:
    """A search that ends early without a break has exit code 3."""
    new = change_schemas(lambda schemas: schemas["ServiceSlug"].pop("minLength"))
    done = evolve(SPEC, write_json(tmp_path / "new.json", new), "--max-requests", "20")
    assert done.exit_code == 3
    assert done.stdout.splitlines()[-1].startswith(
        "NOT SEARCHED TO THE END: no observable change, 1 no witness found"
    )


def assert_unusable(done: Result, says: str) -> None:
    """Assert that a command ended with one line and exit code 2."""
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.output
    assert says in done.stderr


@pytest.mark.parametrize("name", PATHS)
def test_a_document_without_usable_operations(name: str, tmp_path: Path) -> None:
    """Either document is named if its operations cannot be used."""
    file = tmp_path / "odd.yaml"
    file.write_text(yaml.safe_dump({"openapi": "3.1.0", "paths": PATHS[name], "x": {"content": [1]}}))
    assert_unusable(evolve(SPEC, file), str(file))
    assert_unusable(evolve(file, SPEC), str(file))


def spoil(change: dict[str, Any]) -> dict[str, Any]:
    """Return the packaged document with a part of the create's operation replaced."""
    document = json.loads(json.dumps(PLAIN, default=str))
    document["paths"]["/containers"]["post"].update(change)
    return dict(document)


@pytest.mark.parametrize(
    "change",
    [{"parameters": 5}, {"parameters": [5]}, {"responses": []}, {"security": 5}, {"x-rules": [1]},
     {"requestBody": {"content": {"application/json": {"schema": {"type": "objekt"}}}}},
     {"requestBody": {"content": {"application/json": {"schema": {"properties": {"a": 5}}}}}},
     {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "x-rules": [1]}}}}}],
    ids=json.dumps,
)  # fmt: skip
def test_odd_parts_of_a_document_never_end_in_a_traceback(change: dict[str, Any], tmp_path: Path) -> None:
    """A document with a part of another type is compared, or refused with one line."""
    file = write_json(tmp_path / "odd.json", spoil(change))
    for arguments in ((SPEC, file), (file, SPEC)):
        done = evolve(*arguments, "--max-requests", "200")
        assert "error of the kit" not in done.output
        assert done.exit_code in (0, 1, 3) or (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output


def test_unusable_options_are_explained(tmp_path: Path) -> None:
    """A missing file, a factory that does not exist, and a recording that is none are named in one line."""
    assert_unusable(
        evolve(SPEC, tmp_path / "none.yaml"),
        f"{tmp_path / 'none.yaml'}: No such file or directory; name an openapi.yaml of the two operations\n",
    )
    assert_unusable(
        evolve(SPEC, SPEC, target="http://host/api/v1"), "is a deployment, which serves one contract"
    )
    assert_unusable(evolve(SPEC, SPEC, target="wsgi:nothing:here"), "give wsgi:module:factory")
    assert_unusable(
        evolve(SPEC, SPEC, "--traffic", SPEC), "is not JSON, or only a part of it; name a HAR file"
    )
