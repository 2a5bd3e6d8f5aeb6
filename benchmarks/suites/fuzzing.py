"""Planted faults: the faults that each fuzzer finds, and the work that it needs for them."""

import importlib
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.processes.command import run_command
from benchmarks.processes.errors import BenchmarkError
from benchmarks.processes.folders import temporary_folder
from benchmarks.processes.groups import kill_all_groups
from benchmarks.processes.server import find_free_port, start_server
from benchmarks.servers.apps import COUNT_PATH
from benchmarks.servers.contenders import build_app_command
from benchmarks.servers.progress import Progress
from benchmarks.suites.fuzzers import FUZZERS, Fuzzer
from benchmarks.suites.scale import Scale

#: The name of the mock without a fault.
CORRECT = "none"
#: A longer run would not be used in a CI.
TIMEOUT_SECONDS = 180
_PARALLEL_RUNS = 2
_FAULT_TABLES = ("callers", "wire", "values", "state", "unique", "times")


@dataclass(frozen=True, slots=True)
class FaultSample:
    """A planted fault: its name, its table, and the rules that it breaks."""

    name: str
    table: str
    rules: frozenset[str]


@dataclass(frozen=True, slots=True)
class FuzzRun:
    """A run of a fuzzer on a fault: its findings, its time and its requests."""

    fuzzer: str
    fault: str
    findings: frozenset[str]
    seconds: float
    cpu_seconds: float
    requests: int


def measure_fuzzing(scale: Scale, progress: Progress) -> dict[str, Any]:
    """Run each fuzzer on the correct mock and on each fault, two runs at a time."""
    faults = select_faults(scale.faults)
    targets = (*[CORRECT] * scale.correct_runs, *(fault.name for fault in faults))
    jobs = [(fuzzer, target) for target in targets for fuzzer in FUZZERS]
    with ThreadPoolExecutor(_PARALLEL_RUNS) as pool:
        try:
            results = pool.map(lambda job: _run_fuzzer(job[0], job[1], progress), jobs)
            runs = [run for run in results if run is not None]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            kill_all_groups()
            raise
    return {
        "faults": {fault.name: fault.table for fault in faults},
        "fuzzers": {
            fuzzer.name: _summarize_runs([run for run in runs if run.fuzzer == fuzzer.name], faults)
            for fuzzer in FUZZERS
        },
    }


def select_faults(count: int) -> list[FaultSample]:
    """Return `count` planted faults of the tests, at equal distances in their tables."""
    tables = {name: importlib.import_module(f"tests.quality.faults.{name}") for name in _FAULT_TABLES}
    planted = [
        FaultSample(fault.name, name, fault.breaks)
        for name, module in tables.items()
        for fault in getattr(module, name.upper())
    ]
    step = max(1, len(planted) // count)
    return planted[step // 2 :: step][:count]


@contextmanager
def serve_fault(fault: str) -> Iterator[str]:
    """Serve a new mock with a fault, or the correct one, and yield its origin."""
    port = find_free_port()
    first = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % COUNT_PATH.encode()
    with start_server(build_app_command(port, "faulty", fault), port, first):
        yield f"http://127.0.0.1:{port}"


def _run_fuzzer(fuzzer: Fuzzer, fault: str, progress: Progress) -> FuzzRun | None:
    """Run a fuzzer on a new mock with a fault; report a run that fails, and return None."""
    try:
        with serve_fault(fault) as url, temporary_folder() as folder:
            command = fuzzer.build_command(f"{url}/api/v1", folder)
            result = run_command(
                command, timeout=TIMEOUT_SECONDS, environment=fuzzer.environment, folder=folder
            )
            with urllib.request.urlopen(url + COUNT_PATH, timeout=30) as response:
                count = int(response.read())
            findings = fuzzer.read_findings(result, folder)
    except (BenchmarkError, OSError, ValueError) as error:
        progress.report(f"{fuzzer.name} on {fault}: {error}")
        return None
    progress.report(f"{fuzzer.name} on {fault}: {', '.join(sorted(findings)) or 'nothing'}; {count} requests")
    return FuzzRun(fuzzer.name, fault, findings, result.seconds, result.cpu_seconds, count)


def _summarize_runs(runs: list[FuzzRun], faults: Sequence[FaultSample]) -> dict[str, Any]:
    """Return the sums of a fuzzer's runs.

    A fault is found by a finding that the correct mock does not cause, and named by the rule that it breaks.
    """
    rules = {fault.name: fault.rules for fault in faults}
    correct = [run for run in runs if run.fault == CORRECT]
    faulty = [run for run in runs if run.fault != CORRECT]
    alarms = frozenset[str]().union(*(run.findings for run in correct))
    correct_cpu = max(0.01, sum(run.cpu_seconds for run in correct))
    return {
        "found": [run.fault for run in faulty if run.findings - alarms],
        "named": [run.fault for run in faulty if run.findings & rules[run.fault]],
        "alarms": sorted(alarms),
        "runs": len(faulty),
        "seconds": sum(run.seconds for run in faulty),
        "CPU seconds": sum(run.cpu_seconds for run in faulty),
        "requests": sum(run.requests for run in faulty),
        "requests per CPU second": sum(run.requests for run in correct) / correct_cpu,
    }
