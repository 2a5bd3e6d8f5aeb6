"""The audit: the judge of recordings reports each response that the contract forbids, and no other."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.audit import json_operators, model, mutants, run, sorting
from benchmarks.audit.model import RecordedCase
from benchmarks.audit.mutants import iterate_mutants
from benchmarks.audit.page import load_catalogues, render_source_row
from benchmarks.audit.run import Tally, audit_cases
from benchmarks.audit.sorting import SORTING, sort_mutant
from benchmarks.audit.traffic import SOURCES, record_cases
from contract_tests.cli.main import build_command
from contract_tests.contract.rules import load_catalogue

PAGE = Path(__file__).resolve().parents[2] / "docs/audit.md"
ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445"
BODY = {"service_slug": "a-slug", "display_name": "a", "docker_image": "n"}


def build_case(name: str, method: str, body: Any, status: int, answer: Any, **request: Any) -> RecordedCase:
    """Build a case of one exchange, as the recorder of the gate writes it."""
    text, content = json.dumps(body), json.dumps(answer)
    headers = [
        {"name": "Authorization", "value": "Bearer $TOKEN"},
        {"name": "Content-Type", "value": "application/json"},
    ]
    path = "containers" if method == "POST" else f"containers/{ID}"
    entry = {
        "comment": "caller: red",
        "request": {
            "method": method,
            "url": f"https://host.example.com/api/v1/{path}",
            "headers": headers,
            "postData": {"text": text},
            "bodySize": len(text),
            **request,
        },
        "response": {
            "status": status,
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"text": content, "size": len(content)},
        },
    }
    return RecordedCase(name, "", "", (entry,), own=True)


SOME = (
    build_case("create", "POST", BODY, 201, {"id": ID, "more": [1, True, {"a": "b"}]}),
    build_case("update", "PUT", {}, 200, {"id": ID}),
    build_case("refusal", "POST", {**BODY, "exposed_port": 0}, 400, {"error": "port"}),
    build_case("assumed", "POST", {**BODY, "gpu_count": -2}, 422, {"error": "gpus"}),
    build_case("no team", "POST", BODY, 400, {"error": "team"}, _callerKind="jwt"),
)


def test_some_mutants_are_judged_as_they_are_sorted() -> None:
    """Every mutant of five exchanges is reported if it is forbidden, and only then."""
    tally = audit_cases(SOME)
    assert tally.wrong == []
    assert min(tally.count(forbidden=True)[1], tally.count(forbidden=False)[0]) > 80


@pytest.mark.slow
@pytest.mark.parametrize("name", SOURCES)
def test_all_mutants_are_judged_as_they_are_sorted(name: str) -> None:
    """Every mutant of the fixtures is reported if it is forbidden, and only then; the page has the figures."""
    tally = audit_cases(record_cases(SOURCES[name]))
    assert tally.wrong == []
    row = " | ".join(render_source_row(name, tally))
    assert row in PAGE.read_text("utf-8"), f"run make audit: {row}"


def test_no_row_of_the_sorting_is_idle() -> None:
    """Each row decides about a mutant, so no row stands there for show."""
    assert {sort_mutant(mutant) for mutant in iterate_mutants(SOME)} == {*SORTING}


@pytest.mark.parametrize("module", [model, json_operators, mutants, sorting], ids=lambda one: one.__name__)
def test_the_sorting_is_independent_of_the_judge(module: Any) -> None:
    """What makes and sorts the mutants imports nothing of the packages under audit, nor what imports them."""
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    allowed = {f"benchmarks.audit.{name}" for name in ("model", "json_operators")}
    assert not [name for name in imported - allowed if name.startswith(("benchmarks", "contract", "mock"))]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_import(node)]


def _is_import(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "__import__"


@pytest.mark.parametrize(
    ("said", "wrong"),
    [(set[str](), "missed: R2XX"), ({"created"}, "false alarm: R4XX")],
    ids=["blind", "loud"],
)
def test_a_wrong_judge_is_named(monkeypatch: pytest.MonkeyPatch, said: set[str], wrong: str) -> None:
    """The audit names each mutant that a blind judge misses, and each about which a loud one raises an alarm."""
    answers = iter([set[str]()])  # the traffic itself conforms
    monkeypatch.setattr(run, "list_violated", lambda *_, **__: next(answers, said))
    tally: Tally = audit_cases(SOME[2:3])
    assert tally.wrong[0].startswith("missed" if not said else "false alarm")
    assert any(line.startswith(wrong) for line in tally.wrong)


def test_traffic_that_does_not_conform_is_refused() -> None:
    """An audit of traffic with a violation would say nothing about its mutants."""
    with pytest.raises(ValueError, match="the traffic of wrong does not conform: created"):
        audit_cases([build_case("wrong", "POST", BODY, 201, {})])


@pytest.mark.slow
def test_the_command_fails_as_the_audit_says(tmp_path: Path) -> None:
    """`check` ends with exit code 1 for a mutant that the audit counts as reported, and for no other."""
    by_row = {sort_mutant(mutant): mutant for mutant in iterate_mutants(SOME)}
    file, command = tmp_path / "traffic.har", build_command()
    failed = set()
    for row, mutant in by_row.items():
        creator = {"name": "cyberun-contract-kit", "version": "0"}
        file.write_text(json.dumps({"log": {"creator": creator, "entries": mutant.entries}}), "utf-8")
        if CliRunner().invoke(command, ["check", str(file), "--quiet"]).exit_code == 1:
            failed.add(row)
    assert failed == {row for row in SORTING if row.forbidden}


def test_catalogues_name_rules_and_reasons() -> None:
    """Each published fault has rules that exist, and a note that says how it shows, or why it does not."""
    rules = load_catalogue()
    faults = [one for catalogue in load_catalogues()["catalogues"] for one in catalogue["faults"]]
    assert not [rule for one in faults for rule in one["rules"] if rule not in rules]
    assert all(one["note"].endswith(".") for one in faults)
    assert len({one["code"] for one in faults}) == len(faults)


def test_page_has_the_sorting_and_the_catalogues() -> None:
    """docs/audit.md has every reason of the sorting and every published fault, as the audit has them now."""
    page = PAGE.read_text("utf-8")
    document = load_catalogues()
    texts = [one["note"] for catalogue in document["catalogues"] for one in catalogue["faults"]]
    texts += [entry["comparison"] for entry in document["literature"]] + [row.reason for row in SORTING]
    assert [text for text in texts if text not in page] == []
