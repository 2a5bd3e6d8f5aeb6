"""The workflows: least privileges, pinned actions, commands that exist. `make check` runs zizmor, CI actionlint."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from mock_server.contract.resources import VERSION
from tests.support.fixture_player import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FILES = [*WORKFLOWS, ROOT / ".github/actions/conformance/action.yml"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
#: What a job may do beyond reading the repository: site and release are published by jobs of their own.
MORE = {
    ("site", "publish"): {"pages": "write", "id-token": "write"},
    ("release", "image"): {"contents": "read", "packages": "write"},
    ("release", "package"): {"id-token": "write"},
    ("release", "image-index"): {"packages": "write", "id-token": "write", "attestations": "write"},
    ("release", "page"): {"contents": "write"},
}
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


def test_a_release_is_published_after_it_was_tried() -> None:
    """The package waits for both images; the page and the tag of the action wait for all that is published."""
    workflow = read(ROOT / ".github/workflows/release.yml")
    assert workflow[True] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}
    needs = {name: job.get("needs", []) for name, job in workflow["jobs"].items()}
    assert needs == {
        "build": [],
        "image": "build",
        "package": ["build", "image"],
        "image-index": ["image", "package"],
        "page": ["package", "image-index"],
    }
    assert workflow["jobs"]["package"]["environment"] == "pypi"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_the_scripts_that_are_called_exist(path: Path) -> None:
    """Each script of .ci is there, and can be executed."""
    for name in re.findall(r"run: (\.ci/[\w-]+)", path.read_text("utf-8")):
        assert os.access(ROOT / name, os.X_OK), name


def run_release_notes(tag: str) -> subprocess.CompletedProcess[str]:
    """Run the script that prints the lines of the changelog about a tag."""
    return subprocess.run([ROOT / ".ci/release-notes", tag], capture_output=True, text=True, check=False)


def test_the_notes_of_a_release_are_its_lines_of_the_changelog() -> None:
    """The script prints the section of the version, without its heading and the links at the end."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    (section,) = re.findall(
        rf"^## \[{re.escape(VERSION)}\].*\n((?:(?!## |\[).*\n)*)", changelog, re.MULTILINE
    )
    assert run_release_notes(f"v{VERSION}").stdout.strip() == section.strip() != ""


def test_a_tag_of_another_version_is_not_released() -> None:
    """The script fails with one line if the tag is not the version of pyproject.toml."""
    done = run_release_notes("v99.0.0")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "v99.0.0 is not the version in pyproject.toml\n"


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
