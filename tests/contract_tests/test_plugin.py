"""The pytest plugin, run as its users run it."""

import re
from pathlib import Path

import pytest

from tests.support.contract_pytest import MOCK, run_contract_pytest

pytestmark = pytest.mark.slow

_STORES_ANOTHER_PATH = """
import io

from mock_server import create_app


def app():
    mock = create_app()

    def serve(environ, start_response):
        if environ["REQUEST_METHOD"] == "POST":
            body = environ["wsgi.input"].read().replace(b"/Health//", b"/health//")
            environ["wsgi.input"] = io.BytesIO(body)
        return mock(environ, start_response)

    return serve
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a factory of a faulty mock."""
    (tmp_path / "faulty.py").write_text(
        "from mock_server import create_app\n\n\n"
        "def app():\n    return create_app(disabled_rules=frozenset({'slug-unique'}))\n"
    )
    return tmp_path


def test_each_rule_is_a_test(folder: Path) -> None:
    """Against the mock every rule passes or is skipped with a reason, in a foreign project."""
    done = run_contract_pytest(folder, "--target", MOCK)
    assert done.returncode == 0, done.stdout
    assert "82 passed, 1 skipped" in done.stdout
    assert "CONFORMS" in done.stdout


def test_a_broken_rule_fails_its_test(folder: Path) -> None:
    """A violated rule fails its test, with what happened, the response and a command to reproduce it."""
    done = run_contract_pytest(folder, "--target", "wsgi:faulty:app", "-k", "slug-unique")
    assert done.returncode == 1, done.stdout
    assert "1 failed, 82 deselected" in done.stdout
    assert "Happened: After a service was created" in done.stdout
    assert "Received: 201" in done.stdout
    assert "curl -i -X POST" in done.stdout


def test_a_violated_rule_without_a_test_is_named(folder: Path) -> None:
    """A run that fails for a rule that is not selected names it, since its own tests all pass."""
    (folder / "another.py").write_text(_STORES_ANOTHER_PATH)
    done = run_contract_pytest(folder, "--target", "wsgi:another:app", "-k", "updated-stored")
    assert done.returncode == 1, done.stdout
    assert "1 passed" in done.stdout
    assert "created-stored is violated, too: the read-back shows another value" in done.stdout


def test_no_file_stays_open(folder: Path) -> None:
    """A project whose tests turn warnings into errors passes with a report: the log of the creates is closed."""
    options = ("--target", MOCK, "-k", "service-slug-required", "--report", "reports", "-W", "error")
    done = run_contract_pytest(folder, *options)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("report", [(), ("--report", "reports")], ids=["no-report", "report"])
def test_a_body_that_cannot_be_pasted_is_a_file_of_the_report(folder: Path, report: tuple[str, ...]) -> None:
    """A command reads a file that exists; without a report it says how to get one."""
    (folder / "large.py").write_text(
        "from mock_server import create_app\n\n\ndef app():\n    return create_app(disabled_rules={'body-size'})\n"
    )
    options = ("--target", "wsgi:large:app", "-k", "body-size", "--contract-strict")
    done = run_contract_pytest(folder, *options, *report)
    assert done.returncode == 1, done.stdout
    files = re.findall(r"\S+-1\.body", done.stdout)
    assert bool(files) == bool(report)
    assert all((folder / file).is_file() for file in files)
    assert report or "has a body that cannot be pasted; the report folder of a run" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--target", "http://127.0.0.1:1/api/v1"), 3, "the connection was refused"),
        (("--target", "ftp://host"), 2, "not the base URL of an API"),
        (("--target", MOCK, "--layers", "none"), 2, "the layers are"),
    ],
    ids=["down", "url", "layer"],
)
def test_unusable_option_is_explained(folder: Path, arguments: tuple[str, ...], code: int, says: str) -> None:
    """An unusable target and a wrong option end pytest with the command's exit codes."""
    done = run_contract_pytest(folder, *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert says in done.stdout + done.stderr


def test_a_path_that_leaves_out_the_contract_is_told(folder: Path) -> None:
    """Where only tests of the user are collected, the summary says so and names the file that has the rules."""
    own = folder / "test_own.py"
    own.write_text("def test_own() -> None:\n    pass\n")
    done = run_contract_pytest(folder, "--target", MOCK, str(own))
    assert (done.returncode, "no contract rule was collected" in done.stdout) == (0, True)
    file = done.stdout.partition("since a path is given; add ")[2].splitlines()[0]
    done = run_contract_pytest(folder, "--target", MOCK, str(own), file, "-k", "test_own or gpu-count-type")
    assert (done.returncode, "no contract rule was collected" in done.stdout) == (0, False)
    assert "2 passed" in done.stdout
