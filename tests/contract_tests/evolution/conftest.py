"""The packaged contract, and how to compare it with a changed one."""

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from contract_tests.contract.resources import data_file
from contract_tests.contract.spec import list_operations, load_document
from contract_tests.evolution.changes import write_out
from contract_tests.evolution.search import Contract, Evolution, Finding, Limits, open_evolution
from mock_server import create_app

#: A mock without its control plane opens in half the time.
MOCK = "wsgi:tests.contract_tests.evolution.conftest:create_bare_mock"
SPEC = data_file("spec/openapi.yaml")
PLAIN = load_document(SPEC)
DOCUMENT = write_out(PLAIN)

Kinds = set[str]


def create_bare_mock(spec: Mapping[str, Any]) -> Any:
    """Return a mock that serves a document, and nothing else."""
    return create_app(spec=spec, control=False)


def build_contract(document: Mapping[str, Any], name: str = "spec") -> Contract:
    """Return the contract of a document."""
    operations = {operation.id: operation for operation in list_operations(document)}
    return Contract(name, write_out(document), operations)


def change_schemas(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return the packaged document with its component schemas changed by a function."""
    document = copy.deepcopy(PLAIN)
    change(document["components"]["schemas"])
    return document


def open_comparison(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Evolution:
    """Return the comparison of two documents, served by the mock."""
    return open_evolution(build_contract(old, "old"), build_contract(new, "new"), MOCK, limits)


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Finding]:
    """Return what a comparison of two documents finds."""
    return list(open_comparison(old, new).search())


def list_kinds(findings: list[Finding]) -> Kinds:
    """Return the kinds of the findings with a witness."""
    return {str(finding.kind) for finding in findings if finding.witness}


def write_json(path: Path, document: Mapping[str, Any]) -> Path:
    """Write a document to a file."""
    path.write_text(json.dumps(document, default=str), "utf-8")
    return path
