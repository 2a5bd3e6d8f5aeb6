"""The private parts of Schemathesis on which the suite depends."""

import inspect
import tomllib
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MODULE = "contract_tests.generation.schemathesis_internals"
SEEN_WITH = "4.32"


@pytest.mark.slow
def test_private_import_exists_in_the_installed_version() -> None:
    """The private import of Schemathesis works; it was last seen with version 4.32."""
    try:
        module = import_module(MODULE)
    except ImportError as error:
        pytest.fail(
            f"Schemathesis {version('schemathesis')} moved a private part, seen with {SEEN_WITH}: {error}"
        )
    assert module.SUPPORTED_SERIES == SEEN_WITH
    assert version("schemathesis").startswith(f"{SEEN_WITH}.")


def test_private_function_still_has_its_parameters() -> None:
    """The private function takes the keyword arguments that the suite passes."""
    parameters = inspect.signature(import_module(MODULE).iter_coverage_cases).parameters
    assert {
        "operation",
        "generation_modes",
        "generate_duplicate_query_parameters",
        "unexpected_methods",
        "generation_config",
    } <= set(parameters)


def test_dependency_is_bounded_by_the_version_seen() -> None:
    """The package allows only the series of Schemathesis in which the private parts were seen."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (requirement,) = [line for line in project["dependencies"] if line.startswith("schemathesis")]
    assert requirement == "schemathesis>=4.32,<4.33"


def test_no_other_module_uses_private_parts() -> None:
    """Only one module of the suite imports Schemathesis."""
    users = [
        path.name
        for path in (ROOT / "contract_tests").rglob("*.py")
        if "import schemathesis\n" in path.read_text("utf-8")
        or "from schemathesis" in path.read_text("utf-8")
    ]
    assert users == ["schemathesis_internals.py"]
