"""The gate on the mock over HTTP: a full verdict, from the start of Python to the last line of output."""

import json
import sys
from collections import defaultdict
from pathlib import Path

from benchmarks.load.figures import Figure, build_figure
from benchmarks.load.workloads import VALID_CREATE
from benchmarks.processes.command import CommandResult, run_command
from benchmarks.processes.errors import BenchmarkError
from benchmarks.processes.folders import temporary_folder
from benchmarks.processes.server import find_free_port, start_server
from benchmarks.servers.contenders import QUIET_MOCK
from benchmarks.servers.progress import Progress
from benchmarks.servers.running import RunningContender, start_contender
from benchmarks.suites.scale import Scale

GATE_COMMAND = (sys.executable, "-m", "contract_tests", "run")
CONTROL_HOOK = ("--control-hook", "/_mock/services/{id}/status/{status}")
_TIMEOUT_SECONDS = 300


def measure_gate(scale: Scale, progress: Progress) -> dict[str, dict[str, Figure]]:
    """Return by latency the seconds and CPU of the command, its requests, and the seconds of each layer."""
    samples: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(scale.gate_rounds):
        for latency in scale.latencies:
            progress.report(f"round {number + 1} of {scale.gate_rounds}, {latency} ms")
            with start_contender(QUIET_MOCK) as mock:
                for name, value in _run_with_latency(mock, latency).items():
                    samples[latency][name].append(value)
    return {
        str(latency): {name: build_figure(values) for name, values in runs.items()}
        for latency, runs in samples.items()
    }


def _run_with_latency(mock: RunningContender, latency: int) -> dict[str, float]:
    """Run the gate on a mock, behind a delay proxy if there is a latency (in milliseconds)."""
    if not latency:
        return _run_gate(mock.server.port)
    port = find_free_port()
    numbers = map(str, (port, mock.server.port, latency))
    command = [sys.executable, "-m", "benchmarks.load.delay_proxy", *numbers]
    first = next(VALID_CREATE.iterate_requests(mock.contender.base_path))
    with start_server(command, port, first):
        return _run_gate(port)


def _run_gate(port: int) -> dict[str, float]:
    with temporary_folder() as folder:
        target = ("--target", f"http://127.0.0.1:{port}/api/v1", "--report", str(folder), "--quiet")
        result = run_command([*GATE_COMMAND, *target, *CONTROL_HOOK], timeout=_TIMEOUT_SECONDS)
        if result.code:
            raise BenchmarkError(
                f"the gate on the mock ends with exit code {result.code}: {result.output[-300:]}"
            )
        return _read_report(folder / "report.json", result)


def _read_report(path: Path, result: CommandResult) -> dict[str, float]:
    report = json.loads(path.read_text(encoding="utf-8"))
    return {
        "seconds": result.seconds,
        "CPU seconds": result.cpu_seconds,
        "requests": report["requests"],
        "start and reports": result.seconds - report["seconds"],
        **{name: layer["seconds"] for name, layer in report["layers"].items()},
    }
