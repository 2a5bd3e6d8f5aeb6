"""The fuzzers to compare: command lines of this suite and of Schemathesis, and the readers of their reports."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.load.workloads import TOKEN
from benchmarks.processes.command import CommandResult, run_command
from benchmarks.processes.folders import ROOT
from benchmarks.suites.gate import CONTROL_HOOK, GATE_COMMAND
from mock_server.contract import resources

#: Builds a command line from the URL of the target and a folder for its files.
_CommandBuilder = Callable[[str, Path], list[str]]
_INVALID_COMPONENT = re.compile(r"Invalid component: (.*?)(?: - |$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fuzzer:
    """A command line, and the function that reads its findings from its result and its folder."""

    name: str
    build_command: _CommandBuilder
    read_findings: Callable[[CommandResult, Path], frozenset[str]]
    environment: dict[str, str] = field(default_factory=dict)


def _build_gate(*options: str) -> _CommandBuilder:
    return lambda url, folder: [
        *GATE_COMMAND, *CONTROL_HOOK, "--target", url, "--report", str(folder), "--quiet", "--strict", *options
    ]  # fmt: skip


def build_schemathesis(*options: str, one_of: bool = False) -> _CommandBuilder:
    """Return a builder for `st run`, on the contract as it is or on its `oneOf` view."""

    def build_command(url: str, folder: Path) -> list[str]:
        contract = folder / "contract.yaml"
        if one_of:
            view = run_command([sys.executable, "-m", "mock_server", "spec", "--one-of"], timeout=60)
            contract.write_text(view.output, encoding="utf-8")
        else:
            contract.write_bytes(resources.find_resource("spec/openapi.yaml").read_bytes())
        return [
            str(Path(sys.executable).with_name("st")), "run", str(contract), "--url", url,
            "-H", f"Authorization: Bearer {TOKEN}",
            "--report", "ndjson", "--report-ndjson-path", str(folder / "st.ndjson"), *options,
        ]  # fmt: skip

    return build_command


def _read_violated_rules(result: CommandResult, folder: Path) -> frozenset[str]:
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    rules = {row["rule"] for row in report["rules"] if row["verdict"] == "violated"}
    return frozenset(rules) if result.code == 1 else frozenset()


def _read_failures(_result: CommandResult, folder: Path) -> frozenset[str]:
    return frozenset(
        name_failure(failure)
        for line in (folder / "st.ndjson").read_text(encoding="utf-8").splitlines()
        for failure in iterate_failures(json.loads(line))
    )


def name_failure(failure: Mapping[str, Any]) -> str:
    """Return the kind, operation and invalid component of a failure of Schemathesis."""
    component = _INVALID_COMPONENT.findall(failure["message"])[:1]
    return " | ".join((failure["type"], failure["operation"], *component))


def iterate_failures(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the failures in a part of Schemathesis' report."""
    if isinstance(value, dict):
        if {"type", "operation", "message"} <= value.keys():
            yield value
        for inner in value.values():
            yield from iterate_failures(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from iterate_failures(inner)


#: Enough examples for about a thousand requests, and two filters against alarms.
TUNED_OPTIONS = ("--continue-on-failure", "--max-examples", "250")
TUNED_ENVIRONMENT = {"SCHEMATHESIS_HOOKS": "benchmarks.st_hooks", "PYTHONPATH": str(ROOT)}
#: The third and the last are set to send about as many requests as the first.
FUZZERS = (
    Fuzzer("contract-tests run", _build_gate(), _read_violated_rules),
    Fuzzer("a quarter of it", _build_gate("--shard", "1/4"), _read_violated_rules),
    Fuzzer(
        "generated requests alone",
        _build_gate("--layers", "properties", "--max-examples", "80"),
        _read_violated_rules,
    ),
    Fuzzer("st run", build_schemathesis(), _read_failures),
    Fuzzer(
        "st run, tuned", build_schemathesis(*TUNED_OPTIONS, one_of=True), _read_failures, TUNED_ENVIRONMENT
    ),
)
