"""Mutants of the contract, and their results."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract_tests.contract.resources import data_file
from contract_tests.contract.spec import load_document
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.mutation.engine import (
    all_mutants,
    find_wrongly_listed,
    run_mutant,
    run_mutations,
)
from contract_tests.mutation.mutants import build_mutants, expand_document
from contract_tests.mutation.session import MutationSession, open_session
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.contract_tests.mutation.conftest import HOOK, MOCK

BODY = "createContainer:/body/properties"


def find_mutant(session: MutationSession, name: str) -> Any:
    """Return the mutant with an id."""
    return next(mutant for mutant in all_mutants(session) if mutant.id == name)


def test_each_keyword_of_the_contract_has_mutants() -> None:
    """Every constraint keyword on the request side has a mutant, and all mutants differ."""
    document = expand_document(load_document(data_file("spec/openapi.yaml")))
    found = build_mutants(document)
    keywords = {mutant.keyword for mutant in found}
    assert keywords >= {
        "type", "minimum", "maximum", "minLength", "maxLength", "pattern", "format", "required", "enum", "default",
        "if", "items", "anyOf", "additionalProperties", "security", "const", "content",
    }  # fmt: skip
    changed = [json.dumps(mutant.apply(document), sort_keys=True) for mutant in found]
    assert len(set(changed)) == len(changed)
    assert json.dumps(document, sort_keys=True) not in changed


@pytest.mark.parametrize(
    ("name", "rule", "needs"),
    [
        (f"{BODY}/exposed_port:widen maximum", "exposed-port-range", ""),
        (f"{BODY}/service_slug:unanchor-end pattern", "service-slug-pattern", ""),
        (f"{BODY}/display_name:widen maxLength", "display-name-length", ""),
        ("createContainer:/body:invert if", "created", ""),
        ("updateContainer:/body:close additionalProperties", "unknown-properties-ignored", ""),
        (f"{BODY}/replica_count:change default", "replica-count-default", "read-back"),
    ],
)
@pytest.mark.slow
def test_a_mutant_is_killed_under_its_rule(
    session: MutationSession, name: str, rule: str, needs: str
) -> None:
    """A case of the changed rule kills the mutant, and the result names the feature that it needs."""
    result = run_mutant(session, find_mutant(session, name))
    assert (result.state, result.needs) == ("killed", needs)
    assert result.rule == rule or name.endswith("invert if")


def test_without_its_cases_a_mutant_survives(session: MutationSession) -> None:
    """Without the cases of the port's upper bound, the mutant that widens it survives."""
    blind = replace(session, cases=tuple(c for c in session.cases if c.rule != "exposed-port-range"))
    mutant = find_mutant(session, f"{BODY}/exposed_port:widen maximum")
    assert run_mutant(blind, mutant).state == "survived"


@pytest.mark.slow
def test_without_the_read_back_a_default_is_not_observable(session: MutationSession) -> None:
    """Without a read-back a changed default is not observable, which differs from survived."""
    blind = replace(session, readback=False)
    result = run_mutant(blind, find_mutant(session, f"{BODY}/replica_count:drop default"))
    assert (result.state, result.needs) == ("not observable", "read-back")


def test_an_equivalent_mutant_needs_a_true_reason(session: MutationSession) -> None:
    """An entry for a killed or unknown mutant is reported as wrongly listed."""
    listed = replace(
        session, equivalent={f"{BODY}/exposed_port:widen maximum": "no one notices", "nothing": "gone"}
    )
    results = list(
        run_mutations(listed, [find_mutant(session, f"{BODY}/exposed_port:widen maximum")], jobs=1)
    )
    assert find_wrongly_listed(listed, results) == [f"{BODY}/exposed_port:widen maximum", "nothing"]


NEW = (
    ("DockerImage", "maxLength", 7000, "docker-image-length", "docker_image", "n" * 7001),
    ("RequiredLabels", "uniqueItems", True, "required-labels-unique", "required_labels", ["a", "a"]),
    ("RequiredLabels", "maxItems", 5, "required-labels-length", "required_labels", list("abcdef")),
    (
        "EnvConfig",
        "maxItems",
        100,
        "env-config-length",
        "env_config",
        [{"env_name": "A", "env_value": "b"}] * 101,
    ),
)


@pytest.fixture(scope="module")
def extended_spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a copy of the contract with three more constraints and their rules."""
    folder = tmp_path_factory.mktemp("spec")
    document = load_document(data_file("spec/openapi.yaml"))
    rules = yaml.safe_load(data_file("spec/rules.yaml").read_text("utf-8"))
    like = next(rule for rule in rules["rules"] if rule["id"] == "exposed-port-range")
    for schema, keyword, value, rule, _, _ in NEW:
        document["components"]["schemas"][schema][keyword] = value
        document["components"]["schemas"][schema]["x-rules"][keyword] = rule
        rules["rules"].append({**like, "id": rule, "statement": f"{schema} has its {keyword}."})
    (folder / "openapi.yaml").write_text(yaml.safe_dump(document), "utf-8")
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules), "utf-8")
    return folder / "openapi.yaml"


@pytest.mark.parametrize("new", NEW, ids=lambda new: new[3])
def test_a_new_constraint_is_enforced_by_the_mock(extended_spec: Path, new: tuple[Any, ...]) -> None:
    """The mock enforces a constraint added to the spec alone, under its own rule."""
    client = create_app(spec=extended_spec).test_client()
    body = {"service_slug": "a-slug", "display_name": "a", "docker_image": "n", new[4]: new[5]}
    answer = client.post(
        "/api/v1/containers", json=body, headers={"Authorization": "Bearer sk-red-5f0c7c1e9a"}
    )
    assert [violation["rule"] for violation in answer.json["violations"]] == [new[3]]


@pytest.mark.slow
def test_new_constraints_are_judged_and_have_their_rows(extended_spec: Path) -> None:
    """The gate tests constraints added to the spec alone, and finds a target without them."""
    rules = {new[3] for new in NEW}
    verdicts = {}
    for name, app in (("right", create_app(spec=extended_spec)), ("old", create_app())):
        report = Run(
            open_executor(WsgiTarget(app), options=ExecutorOptions(spec_path=extended_spec)),
            RunOptions(layers=("cases",)),
        ).execute()
        verdicts[name] = {row.verdict for row in report.verdicts if row.rule.id in rules}
    assert verdicts == {"right": {"conforms"}, "old": {"violated"}}


#: An empty image is an open point, so a contract that refuses it is equivalent.
OPEN = {
    f"{operation}:/body/properties/docker_image:floor minLength-1"
    for operation in ("createContainer", "updateContainer")
}


@pytest.mark.slow
def test_mutants_of_new_constraints_are_killed(extended_spec: Path) -> None:
    """Every mutant of a constraint added to the spec alone is killed, except on an open point."""
    session = open_session(MOCK, spec=extended_spec, control_hook=HOOK)
    rules = {new[3] for new in NEW}
    chosen = [mutant for mutant in all_mutants(session) if rules & set(mutant.rules)]
    results = {result.mutant.id: result.state for result in run_mutations(session, chosen)}
    assert len(results) >= 10
    assert {name for name, state in results.items() if state != "killed"} <= OPEN


@pytest.mark.slow
def test_a_mutant_beside_a_narrower_property_is_killed(extended_spec: Path) -> None:
    """A refused value of one property is sent beside values that the own contract accepts, as a run sends it."""
    session = open_session(MOCK, spec=extended_spec)
    chosen = find_mutant(session, f"{BODY}/health_path:widen type-array")
    assert [result.state for result in run_mutations(session, [chosen], jobs=1)] == ["killed"]


@pytest.mark.slow
def test_command_reports_survivors(tmp_path: Path) -> None:
    """`contract-tests mutate` exits with 0 if every mutant is killed, and writes a page and JSON."""
    command = [
        sys.executable,
        "-m",
        "contract_tests",
        "mutate",
        "--target",
        MOCK,
        "--only",
        "exposed-port-range",
        "--operator",
        "narrow",
        "--report",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 killed" in done.stdout
    written = json.loads((tmp_path / "mutants.json").read_text("utf-8"))
    assert {mutant["state"] for mutant in written["mutants"]} == {"killed"}
    assert "exposed_port" in (tmp_path / "mutants.html").read_text("utf-8")


#: Two mutants are one chunk of work, so one of the two processes waits.
INTERRUPTED = """
import os, signal, threading, time
from contract_tests.cli import main
from contract_tests.mutation import engine

os.setpgid(0, 0)
engine.run_mutation = lambda session, mutation: time.sleep(30)
threading.Timer(1, os.killpg, (0, signal.SIGTERM)).start()
main.build_command = lambda: lambda: list(engine.run_mutations(None, [1, 2], 2))
main.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes")
def test_an_interrupt_of_all_processes_is_one_line() -> None:
    """Ctrl-C in a terminal reaches a process that waits for mutants, too, which says nothing of its own."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=25, check=False
    )
    assert (done.returncode, done.stderr) == (130, "contract-tests: interrupted\n")


@pytest.mark.slow
def test_a_quiet_command_prints_its_last_line_only() -> None:
    """With --quiet the counts are all that is printed, on both streams."""
    chosen = ("--only", "exposed-port-range", "--operator", "narrow", "--quiet")
    command = [sys.executable, "-m", "contract_tests", "mutate", "--target", MOCK, *chosen]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert re.fullmatch(r"4 mutants: 4 killed; \d+ requests in [\d.]+ s\n", done.stdout), done.stdout
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--target", MOCK, "--only", "no-such-rule"), "no mutant matches --only and --operator"),
        (("--target", MOCK, "--operator", "wide"), "operators: add, caller, "),
        (("--target", "wsgi:nothing:here"), "give wsgi:module:factory"),
        (("--target", MOCK, "--faults", "nothing:here"), "give module:attribute"),
    ],
)
def test_unusable_mutation_option_is_explained(arguments: tuple[str, ...], says: str) -> None:
    """A wrong option ends with one line and exit code 2."""
    command = [sys.executable, "-m", "contract_tests", "mutate", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
