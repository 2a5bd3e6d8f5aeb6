"""The boundaries between packages: which modules may import which."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fixture_player import ROOT

MOCK = sorted((ROOT / "mock_server").rglob("*.py"))
SUITE = sorted((ROOT / "contract_tests").rglob("*.py"))
#: The only modules of the mock that import the web framework.
FLASK = {
    "app/factory.py",
    "admin/api.py",
    "admin/pages.py",
    "admin/reference_pages.py",
    "admin/renderer.py",
    "admin/request_pages.py",
    "admin/script_pages.py",
    "admin/service_pages.py",
    "proxy/app.py",
    "testing/plugin.py",
    "web/flask_responses.py",
}
#: Packages that load slowly, or would interpret the spec a second time.
NEVER_IN_THE_MOCK = {"jsonschema", "schemathesis", "hypothesis", "pytest", "jinja2", "requests", "rich"}


def iter_imports(path: Path) -> Iterator[str]:
    """Yield the top-level names of the modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", MOCK, ids=lambda path: path.name)
def test_the_mock_imports_neither_the_suite_nor_the_tests(path: Path) -> None:
    """No module of mock_server imports contract_tests, tests, or their dependencies."""
    allowed = {"pytest"} if path.parent.name == "testing" else set()
    assert set(iter_imports(path)) & {"contract_tests", "tests", *NEVER_IN_THE_MOCK} <= allowed


@pytest.mark.parametrize("path", SUITE, ids=lambda path: path.name)
def test_the_suite_imports_neither_the_mock_nor_the_tests(path: Path) -> None:
    """No module of contract_tests imports mock_server or tests."""
    assert set(iter_imports(path)) & {"mock_server", "tests"} == set()


@pytest.mark.parametrize("path", MOCK, ids=lambda path: path.name)
def test_only_the_web_modules_import_the_web_framework(path: Path) -> None:
    """Only the web modules and the pytest plugin import Flask and Werkzeug."""
    assert (
        f"{path.parent.name}/{path.name}" in FLASK or set(iter_imports(path)) & {"flask", "werkzeug"} == set()
    )


@pytest.mark.parametrize("folder", ["spec", "fixtures"])
def test_the_data_folders_hold_no_code(folder: str) -> None:
    """spec/ and fixtures/ hold YAML, JSON Schemas and Markdown only."""
    kinds = {path.suffix for path in (ROOT / folder).rglob("*") if path.is_file()}
    assert kinds <= {".yaml", ".json", ".md"}


@pytest.mark.parametrize("path", [*MOCK, *SUITE], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_module_is_short(path: Path) -> None:
    """A module has 400 lines at most, and a function 70."""
    text = path.read_text(encoding="utf-8")
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = [(node.end_lineno or 0) - node.lineno + 1 for node in functions]
    assert text.count("\n") <= 400
    assert max(lengths, default=0) <= 70


def test_serving_loads_no_slow_validator() -> None:
    """Creating an app imports neither jsonschema nor openapi_spec_validator."""
    program = (
        "import sys; from mock_server import create_app; create_app();"
        "sys.exit(bool({'jsonschema', 'openapi_spec_validator', 'schemathesis'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT).returncode == 0
