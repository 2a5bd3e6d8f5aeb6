"""What a module may import is part of the design."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fixture_player import ROOT

MOCK = sorted((ROOT / "mock_server").rglob("*.py"))
SUITE = sorted((ROOT / "contract_tests").rglob("*.py"))
#: The only modules of the mock that know the web framework.
FLASK = {
    "app/factory.py",
    "admin/api.py",
    "admin/pages.py",
    "proxy/app.py",
    "testing/plugin.py",
    "web/flask_responses.py",
}
#: What would cost the start of the mock, or would be a second reading of the spec in it.
NEVER_IN_THE_MOCK = {"jsonschema", "schemathesis", "hypothesis", "pytest", "jinja2", "requests", "rich"}


def imported(path: Path) -> Iterator[str]:
    """The top-level names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", MOCK, ids=lambda path: path.name)
def test_the_mock_knows_neither_the_suite_nor_the_tests(path: Path) -> None:
    """No module of mock_server imports contract_tests, tests, or what only they need."""
    allowed = {"pytest"} if path.parent.name == "testing" else set()
    assert set(imported(path)) & {"contract_tests", "tests", *NEVER_IN_THE_MOCK} <= allowed


@pytest.mark.parametrize("path", SUITE, ids=lambda path: path.name)
def test_the_suite_knows_neither_the_mock_nor_the_tests(path: Path) -> None:
    """No module of contract_tests imports mock_server or tests."""
    assert set(imported(path)) & {"mock_server", "tests"} == set()


@pytest.mark.parametrize("path", MOCK, ids=lambda path: path.name)
def test_only_the_web_modules_import_the_web_framework(path: Path) -> None:
    """Flask and Werkzeug are imported by the web modules alone, and by the fixtures for pytest."""
    assert f"{path.parent.name}/{path.name}" in FLASK or set(imported(path)) & {"flask", "werkzeug"} == set()


@pytest.mark.parametrize("folder", ["spec", "fixtures"])
def test_the_data_folders_hold_no_code(folder: str) -> None:
    """spec/ and fixtures/ are data: YAML, and a page that explains it."""
    kinds = {path.suffix for path in (ROOT / folder).rglob("*") if path.is_file()}
    assert kinds <= {".yaml", ".md"}


@pytest.mark.parametrize("path", [*MOCK, *SUITE], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_module_is_short(path: Path) -> None:
    """No module has more than 400 lines, and no function more than 70."""
    text = path.read_text(encoding="utf-8")
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = [(node.end_lineno or 0) - node.lineno + 1 for node in functions]
    assert text.count("\n") <= 400
    assert max(lengths, default=0) <= 70


def test_serving_loads_no_slow_validator() -> None:
    """Making the app loads neither jsonschema nor openapi_spec_validator."""
    program = (
        "import sys; from mock_server import create_app; create_app();"
        "sys.exit(bool({'jsonschema', 'openapi_spec_validator', 'schemathesis'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT).returncode == 0
