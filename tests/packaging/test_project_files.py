"""The files about the project itself: what they name exists, and they agree with each other."""

import re
import tomllib
from itertools import pairwise
from typing import Any

import pytest
import yaml

from contract_tests.contract import resources as of_the_suite
from mock_server.contract import resources as of_the_mock
from tests.support.fixture_player import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
PAGES = ("CONTRIBUTING.md", "SECURITY.md", "docs/releasing.md")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
RECIPES = dict(re.findall(r"^## (Add [a-z ]+)\n(.*?)(?=^## |\Z)", CONTRIBUTING, re.MULTILINE | re.DOTALL))
FORMS = ("false-alarm", "missed-fault")


def read_form(name: str) -> Any:
    """Return an issue form."""
    return yaml.safe_load((ROOT / f".github/ISSUE_TEMPLATE/{name}.yml").read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_files_and_targets_that_exist(page: str) -> None:
    """Every path in code quotes or links, and every target of make, is there."""
    text = (ROOT / page).read_text("utf-8")
    quoted = re.findall(
        r"`((?:contract_tests|mock_server|tests|docs|spec|fixtures|examples)/[\w./-]+)`", text
    )
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", text)
    assert [name for name in quoted if not (ROOT / name).exists()] == []
    assert [name for name in linked if not ((ROOT / page).parent / name).exists()] == []
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= TARGETS


@pytest.mark.parametrize("name", ["Add a rule", "Add a choice", "Add an operator", "Add a report"])
def test_a_recipe_is_short_and_names_what_is_in_the_code(name: str) -> None:
    """A recipe has at most ten steps, and each table or function that a step names is in the code."""
    steps = re.split(r"^\d+\. ", RECIPES[name], flags=re.MULTILINE)[1:]
    assert 0 < len(steps) <= 10
    folders = ("contract_tests", "mock_server", "tests/support")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    text = "".join(path.read_text("utf-8") for path in files)
    named = {word for step in steps for word in re.findall(r"`(_?[A-Z_]{4,}|[a-z]+_[a-z_]+)`", step)} - {
        "NAME"
    }
    assert [word for word in sorted(named) if not re.search(rf"\b{word}\b", text)] == []


def test_the_version_is_the_same_everywhere() -> None:
    """pyproject.toml, both packages and CITATION.cff have one version."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    versions = {
        PYPROJECT["project"]["version"],
        of_the_suite.VERSION,
        of_the_mock.VERSION,
        citation["version"],
    }
    assert len(versions) == 1
    assert citation["license"] == PYPROJECT["project"]["license"]


def test_the_changelog_keeps_its_form() -> None:
    """Unreleased is first; each version has a date, its own link, and groups with known names, the newest first."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sections[0] == "[Unreleased]"
    dates = [re.fullmatch(r"\[\d+\.\d+\.\d+\] - (\d{4}-\d{2}-\d{2})", section) for section in sections[1:]]
    assert all(dates)
    assert all(newer[1] > older[1] for newer, older in pairwise(dates) if newer and older)
    assert {re.match(r"\[[^]]+\]", section)[0] for section in sections} == {  # type: ignore[index]
        name[:-1] for name in re.findall(r"^\[[^]]+\]:", text, re.MULTILINE)
    }  # fmt: skip
    groups = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert groups <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Renamed"}


@pytest.mark.parametrize("name", FORMS)
def test_an_issue_form_asks_for_the_finding(name: str) -> None:
    """The form is complete, its ids are unique, and the finding file and the version must be given."""
    form = read_form(name)
    assert {"name", "description", "title", "labels", "body"} <= form.keys()
    fields = {item["id"]: item for item in form["body"]}
    assert len(fields) == len(form["body"])
    assert all(item["attributes"]["label"] for item in form["body"])
    assert "findings/ID.json" in fields["finding"]["attributes"]["description"]
    assert [fields[one]["validations"]["required"] for one in ("finding", "version")] == [True, True]


def test_the_links_of_the_wheel_lead_to_one_repository() -> None:
    """The links of pyproject.toml, the citation and the changelog name the same repository."""
    repository = PYPROJECT["project"]["urls"]["Repository"]
    assert all(url.startswith(repository) for url in PYPROJECT["project"]["urls"].values())
    for name in ("CITATION.cff", "CHANGELOG.md", ".github/ISSUE_TEMPLATE/config.yml"):
        assert repository in (ROOT / name).read_text("utf-8"), name
