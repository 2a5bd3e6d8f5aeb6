"""The mock beside bare Flask and other mocks: the cost of a request, of a start, and of memory."""

import contextlib
import sys
from collections import defaultdict
from typing import Any

from benchmarks.load.figures import Figure, build_figure
from benchmarks.load.workloads import WORKLOADS
from benchmarks.processes.command import run_command
from benchmarks.processes.errors import BenchmarkError
from benchmarks.servers.contenders import CONTENDERS
from benchmarks.servers.progress import Progress
from benchmarks.servers.running import (
    RunningContender,
    list_notes,
    measure_memory,
    start_all,
    start_contender,
)
from benchmarks.suites.rounds import RoundPlan, measure_rounds
from benchmarks.suites.scale import Scale

#: By contender: the seconds, seconds of CPU and megabytes of each start.
_Starts = defaultdict[str, defaultdict[str, list[float]]]
_IN_PROCESS_SCRIPT = """
import time; began = time.perf_counter()
import flask.testing; from mock_server import create_app; imported = time.perf_counter()
response = create_app().test_client().post("/api/v1/containers", json={}); ended = time.perf_counter()
print((imported - began) * 1e3, (ended - imported) * 1e3, response.status_code)
"""


def measure_mock(scale: Scale, progress: Progress) -> dict[str, Any]:
    """Measure starts, then all contenders side by side."""
    starts = _measure_starts(scale, progress)
    progress.report(f"start {scale.starts} of {scale.starts}")
    plan = RoundPlan(scale.rounds, scale.seconds, scale.node_warm_up)
    with start_all(CONTENDERS, progress) as running:
        for contender in running:
            _record_start(contender, starts)
        costs = measure_rounds(running, WORKLOADS, plan, progress)
        memory, notes = measure_memory(running), list_notes(running)
    return {
        "starts": {
            name: {kind: build_figure(values) for kind, values in samples.items()}
            for name, samples in starts.items()
        },
        "costs": costs,
        "memory": memory,
        "in process": _measure_in_process(scale),
        "notes": notes,
    }


def _measure_starts(scale: Scale, progress: Progress) -> _Starts:
    """Measure all starts except the last, which is that of the rounds and reports servers that do not start."""
    starts: _Starts = defaultdict(lambda: defaultdict(list))
    for number in range(1, scale.starts):
        progress.report(f"start {number} of {scale.starts}")
        for contender in CONTENDERS:
            with contextlib.suppress(BenchmarkError), start_contender(contender) as running:
                _record_start(running, starts)
    return starts


def _record_start(running: RunningContender, starts: _Starts) -> None:
    samples, server = starts[running.name], running.server
    samples["seconds"].append(server.seconds)
    samples["cpu"].append(server.cpu_seconds)
    samples["memory"].append(server.read_memory())


def _measure_in_process(scale: Scale) -> dict[str, Figure]:
    """Measure the milliseconds of the import, and of an app with its first response."""
    command = [sys.executable, "-c", _IN_PROCESS_SCRIPT]
    samples = [run_command(command, timeout=60).output.split() for _ in range(scale.starts)]
    return {
        "import": build_figure(float(sample[0]) for sample in samples),
        "first answer": build_figure(float(sample[1]) for sample in samples),
    }
