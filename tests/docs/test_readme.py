"""The examples in README.md, docs/mock.md and docs/choices.md work as shown."""

import json
import re
import subprocess

import pytest
import yaml

from mock_server import create_app
from tests.support.docs import list_blocks, read_page
from tests.support.fixture_player import ROOT
from tests.support.pages import create
from tests.support.processes import mock_server, run

README = read_page("README.md")
PAGE = read_page("docs/mock.md")
#: From the first screen to the end of the section about the mock.
MOCK = README.split("## The gate")[0]
SHELL = [block for block in list_blocks(MOCK + PAGE, "sh") if "127.0.0.1:4010/api/v1/containers" in block]
CONTROL = next(block for block in list_blocks(PAGE, "sh") if "/_mock/script" in block)
PYTHON = list_blocks(MOCK + PAGE, "python")


def run_block(block: str) -> str:
    """Run a shell block against a mock, and return its output."""
    with mock_server() as mock:
        script = "set -e\n" + block.replace("http://127.0.0.1:4010", mock.url.removesuffix("/api/v1"))
        return subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=30, check=True
        ).stdout


def test_the_first_request_is_refused_as_shown() -> None:
    """The answer holds the violation that the README shows, word for word."""
    shown = json.loads(list_blocks(MOCK, "json")[0])
    head, body = run_block(SHELL[0]).split("\n\n", 1)
    assert " 400 " in head.splitlines()[0]
    assert shown in json.loads(body)["violations"]


@pytest.mark.parametrize("block", SHELL[1:], ids=["create", "update"])
@pytest.mark.slow
def test_the_request_of_a_reference_page_is_accepted(block: str) -> None:
    """Pasted into a shell, it answers an id."""
    assert re.fullmatch(r'\{"id":"[0-9a-f-]{36}"\}', run_block(block).strip())


def test_the_requests_to_the_control_plane_work() -> None:
    """Pasted into a shell, they store a busy service, add a step to the script, and read the journal."""
    stored, script, journal = run_block(CONTROL).replace("}{", "}\n{").splitlines()
    assert json.loads(stored)["service_status"] == "deploying"
    assert json.loads(script)["steps"] == [{"status": 503, "times": 2, "left": 2}]
    assert json.loads(journal) == {"count": 0, "requests": []}


@pytest.mark.parametrize("block", PYTHON)
def test_a_python_example_runs(block: str) -> None:
    """Its assertions hold."""
    exec(compile(block, "README.md", "exec"), {})


def test_an_ignored_property_is_remarked_as_shown() -> None:
    """The response has the header that docs/mock.md shows."""
    response = create(create_app().test_client(), displayname="a")
    assert list_blocks(PAGE, "") == [f"Mock-Ignored: {response.headers['Mock-Ignored']}\n"]


@pytest.mark.parametrize("name", ["docs/mock.md", "docs/choices.md"])
def test_the_profile_of_a_page_is_obeyed(name: str) -> None:
    """A mock with the profile of the page refuses an unknown property, with the status of the profile."""
    (block,) = list_blocks(read_page(name), "yaml")
    profile = yaml.safe_load(block)
    response = create(create_app(profile=profile).test_client(), displayname="a")
    assert response.status_code == profile["choices"]["invalid-body-status"] == 422


@pytest.mark.slow
def test_every_option_of_the_mock_is_in_its_help() -> None:
    """README.md and docs/mock.md name no option that the commands do not have."""
    named = set(re.findall(r"`(?:mock-server )?(--[a-z-]+)", MOCK + PAGE))
    help_text = "".join(run(*command, "--help").stdout for command in ((), ("spec",), ("callers",)))
    assert named - set(re.findall(r"--[a-z-]+", help_text)) == set()


#: Found in a checkout only: folders, and make with its targets.
CHECKOUT = re.compile(r"\b(?:docs|fixtures|spec|tests|examples|benchmarks)/|\.venv|`?make [a-z]|\]\((?!http)")


def test_the_readme_suits_an_installed_wheel() -> None:
    """Except in the block that sets up a checkout, no command or link before "In a checkout" needs one."""
    set_up, _, wheel = README.split("## In a checkout")[0].partition("With the wheel, ")
    assert set_up.count("```sh") == 1
    assert [line for line in wheel.splitlines() if CHECKOUT.search(line)] == []
    assert CHECKOUT.search(README.split("## In a checkout")[1])


def test_pictures_exist_and_are_small() -> None:
    """Each picture of README.md is in the repository, and has at most 150 kB."""
    names = re.findall(r"!\[[^]]+\]\((docs/screenshots/[^)]+)\)", README)
    sizes = {name: (ROOT / name).stat().st_size for name in names}
    assert len(sizes) == 2
    assert {name: size for name, size in sizes.items() if size > 150_000} == {}


def test_the_readme_is_short() -> None:
    """README.md has at most 120 lines."""
    assert README.count("\n") <= 120
