"""The workflows: least privileges, pinned actions, and commands that exist. actionlint and zizmor run in CI."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.fixture_player import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FILES = [*WORKFLOWS, ROOT / ".github/actions/conformance/action.yml"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
#: What a job may do beyond reading the repository: the site is published by its own job alone.
MORE = {("site", "publish"): {"pages": "write", "id-token": "write"}}
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    """Return a workflow; YAML reads its key ``on`` as true."""
    return yaml.safe_load(path.read_text("utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_action_is_pinned_by_its_commit(path: Path) -> None:
    """Each action of somebody else is named by 40 hexadecimal digits, with its version in a comment."""
    used = re.findall(r"uses: (.+)$", path.read_text("utf-8"), re.MULTILINE)
    assert used
    assert [
        line for line in used if not re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
    ] == []


@each_workflow
def test_a_workflow_may_only_read(path: Path) -> None:
    """The workflow may read the repository, a job has more only if the table says so, and each has a time limit."""
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert job.get("permissions") == MORE.get((path.stem, name)), name
        assert job["timeout-minutes"] <= 120, name


@each_workflow
def test_a_checkout_keeps_no_credentials(path: Path) -> None:
    """No later step finds the token of the workflow in the checkout."""
    for job in read(path)["jobs"].values():
        for step in job["steps"]:
            if "actions/checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / ".pre-commit-config.yaml"], ids=lambda path: path.stem)
def test_the_commands_call_targets_that_exist(path: Path) -> None:
    """Each `make TARGET` is a target of the Makefile."""
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", path.read_text("utf-8")))
    assert named
    assert named <= TARGETS


def test_the_tests_run_on_each_supported_python() -> None:
    """The versions of the matrix begin with that of pyproject.toml and go on without a gap, on Linux and macOS."""
    matrix = read(ROOT / ".github/workflows/ci.yml")["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest"]
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text("utf-8")
