"""The curve: the share of planted faults that each contender finds by the number of requests that it sends."""

import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.processes.command import run_command
from benchmarks.processes.errors import BenchmarkError
from benchmarks.processes.folders import temporary_folder
from benchmarks.servers.progress import Progress
from benchmarks.suites.fuzzers import (
    TUNED_ENVIRONMENT,
    TUNED_OPTIONS,
    build_schemathesis,
    iterate_failures,
    name_failure,
)
from benchmarks.suites.fuzzing import CORRECT, TIMEOUT_SECONDS, select_faults, serve_fault
from benchmarks.suites.gate import CONTROL_HOOK
from benchmarks.suites.scale import Scale
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget

_PARALLEL_RUNS = 2
#: More requests than any run sends.
_UNLIMITED = 100_000
_PLAN, _TABLES = "run --budget N", "the order of the tables"
_ST, _TUNED = "st run", "st run, tuned"
#: The request that first shows a finding, by finding.
_FirstSeen = Mapping[str, int]


def measure_curve(scale: Scale, progress: Progress) -> dict[str, Any]:
    """Return by contender the share of the faults found within each budget, and without a limit."""
    faults = [fault.name for fault in select_faults(scale.curve_faults)]
    limits = (*scale.curve_budgets, _UNLIMITED)
    pairs = [(fault, seed) for fault in faults for seed in range(scale.curve_seeds)]
    shares = {
        name: [_share_of_runs(name, pairs, limit, progress) for limit in limits] for name in (_PLAN, _TABLES)
    }
    for name in (_ST, _TUNED):
        seen = _run_schemathesis(name, pairs, scale.correct_runs, progress)
        shares[name] = [sum(first <= limit for first in seen) / len(pairs) for limit in limits]
    return {
        "faults": len(faults),
        "seeds": scale.curve_seeds,
        "budgets": list(scale.curve_budgets),
        "shares": shares,
    }


def _share_of_runs(name: str, pairs: Sequence[tuple[str, int]], limit: int, progress: Progress) -> float:
    with ProcessPoolExecutor(_PARALLEL_RUNS) as pool:
        found = list(
            pool.map(_finds, *zip(*pairs, strict=True), [limit] * len(pairs), [name == _PLAN] * len(pairs))
        )
    progress.report(f"{name}, {limit:,} requests: {sum(found)} of {len(pairs)}")
    return sum(found) / len(pairs)


def _finds(fault: str, seed: int, limit: int, planned: bool) -> bool:
    """Return whether a run of so many requests sees a violation, with the plan or in the order of the tables."""
    planted = next(
        each for each in importlib.import_module("tests.quality.faults").FAULTS if each.name == fault
    )
    options = ExecutorOptions(control_hook=CONTROL_HOOK[1], max_requests=limit)
    executor = open_executor(WsgiTarget(planted.app()), None, options)
    report = Run(executor, RunOptions(strict=True, seed=seed, budget=limit if planned else None)).execute()
    return any(row.verdict == "violated" for row in report.verdicts)


def _run_schemathesis(
    name: str, pairs: Sequence[tuple[str, int]], correct_runs: int, progress: Progress
) -> list[int]:
    """Return the request that first shows each fault that is found."""
    jobs = [*((CORRECT, seed) for seed in range(correct_runs)), *pairs]
    with ThreadPoolExecutor(_PARALLEL_RUNS) as pool:
        runs = list(pool.map(lambda job: _find_failures(name, job[0], job[1], progress), jobs))
    alarms = {finding for run in runs[:correct_runs] for finding in run}
    news = ([first for finding, first in run.items() if finding not in alarms] for run in runs[correct_runs:])
    seen = [min(firsts) for firsts in news if firsts]
    progress.report(f"{name}: {len(seen)} of {len(pairs)}")
    return seen


def _find_failures(name: str, fault: str, seed: int, progress: Progress) -> _FirstSeen:
    options = ("--seed", str(seed), *(TUNED_OPTIONS if name == _TUNED else ()))
    build_command = build_schemathesis(*options, one_of=name == _TUNED)
    environment = TUNED_ENVIRONMENT if name == _TUNED else {}
    try:
        with serve_fault(fault) as origin, temporary_folder() as folder:
            command = build_command(f"{origin}/api/v1", folder)
            run_command(command, timeout=TIMEOUT_SECONDS, environment=environment, folder=folder)
            return _read_first_seen(folder / "st.ndjson")
    except (BenchmarkError, OSError, ValueError) as error:
        progress.report(f"{name} on {fault}: {error}")
        return {}


def _read_first_seen(path: Path) -> _FirstSeen:
    """Return the number of the request that first shows each failure, in the order of their times."""
    requests = sorted(_iterate_requests(path), key=lambda request: request[0])
    first: dict[str, int] = {}
    for number, (_, failures) in enumerate(requests, 1):
        for failure in failures:
            first.setdefault(failure, number)
    return first


def _iterate_requests(path: Path) -> Iterator[tuple[float, list[str]]]:
    """Yield the time of each request, and the failures that its checks report."""
    for line in path.read_text(encoding="utf-8").splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for case, interaction in recorder.get("interactions", {}).items():
            checks = recorder["checks"].get(case, [])
            yield interaction["timestamp"], [name_failure(failure) for failure in iterate_failures(checks)]
