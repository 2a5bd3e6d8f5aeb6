"""The gate, run in process against a WSGI app."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from contract_tests.cases.callers import Caller
from contract_tests.cases.model import Layer
from contract_tests.contract.rules import Catalogue, load_catalogue
from contract_tests.contract.spec import Spec, load_spec
from contract_tests.execution.executor import Executor
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.results.verdict import Report
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget

App = Callable[..., Iterable[bytes]]

#: The deterministic layers; only their order depends on the seed.
GATE: tuple[Layer, ...] = ("cases", "wire", "lifecycle", "race")
MOCK_HOOK = "/_mock/services/{id}/status/{status}"
EXAMPLE_HOOK = "/ops/services/{id}/status/{status}"


@cache
def catalogue() -> Catalogue:
    """Return the rules of the contract."""
    return load_catalogue()


@cache
def spec() -> Spec:
    """Return the contract."""
    return load_spec()


def open_app_executor(
    app: App, *, hook: str | None = MOCK_HOOK, callers: Iterable[Caller] | None = None, **options: Any
) -> Executor:
    """Return an executor for an app in this process; ``options`` are those of the executor."""
    limits = ExecutorOptions(control_hook=hook, spec=spec(), **options)
    executor = open_executor(WsgiTarget(app), callers, limits)
    executor.late_reads.waits = (0.0,) * len(executor.late_reads.waits)
    return executor


def judge_app(
    app: App,
    *,
    hook: str | None = MOCK_HOOK,
    callers: Iterable[Caller] | None = None,
    **options: Any,
) -> Report:
    """Return the report of a run in process; by default strict, and of the gate's layers."""
    executor = open_app_executor(app, hook=hook, callers=callers)
    return Run(executor, RunOptions(**{"strict": True, "layers": GATE, **options})).execute()


def violated_rules(report: Report) -> set[str]:
    """Return the ids of the violated rules."""
    return {row.rule.id for row in report.verdicts if row.verdict == "violated"}


def rules_with(report: Report, verdict: str) -> set[str]:
    """Return the ids of the rules with a verdict."""
    return {row.rule.id for row in report.verdicts if row.verdict == verdict}


def describe_findings(report: Report) -> str:
    """Return the findings in words, for a failed assertion."""
    return "\n".join(
        f"{finding.rule.id} ({finding.case.id}): {finding.reason}; {finding.received} / {finding.expected}"
        for finding in report.findings
    )
