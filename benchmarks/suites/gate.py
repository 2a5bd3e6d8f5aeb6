"""The gate on the mock, over HTTP: what a full verdict takes, from the start of Python to the last line."""

import json
import sys
from collections import defaultdict
from typing import Any

from benchmarks.load.figures import figure
from benchmarks.load.workloads import WORKLOADS
from benchmarks.processes import server
from benchmarks.processes.server import BrokenError
from benchmarks.servers.contenders import Ready, mock, serving
from benchmarks.suites.rounds import Tell
from benchmarks.suites.scale import Scale

GATE = [sys.executable, "-m", "contract_tests", "run"]
HOOK = ("--control-hook", "/_mock/services/{id}/status/{status}")


def measured(scale: Scale, tell: Tell) -> dict[str, Any]:
    """By latency: seconds and CPU of the command, its requests, and the seconds of each layer."""
    found: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(scale.gate_rounds):
        for latency in scale.latencies:
            tell(f"round {number + 1} of {scale.gate_rounds}, {latency} ms")
            with serving(mock("mock --quiet", "--quiet")) as ready:
                for name, value in _judged(ready, latency).items():
                    found[latency][name].append(value)
    return {
        str(latency): {name: figure(values) for name, values in runs.items()}
        for latency, runs in found.items()
    }


def _judged(ready: Ready, latency: int) -> dict[str, float]:
    if not latency:
        return _run(ready.server.port)
    port = server.free_port()
    way = [sys.executable, "-m", "benchmarks.load.delay_proxy", *map(str, (port, ready.server.port, latency))]
    with server.served(way, port, next(WORKLOADS[0].requests(ready.contender.base))):
        return _run(port)


def _run(port: int) -> dict[str, float]:
    with server.folder() as made:
        target = ("--target", f"http://127.0.0.1:{port}/api/v1", "--report", str(made), "--quiet")
        done = server.run([*GATE, *target, *HOOK], timeout=300)
        if done.code:
            raise BrokenError(f"the gate on the mock ends with {done.code}: {done.said[-300:]}")
        told = json.loads((made / "report.json").read_text(encoding="utf-8"))
    return {
        "seconds": done.seconds,
        "CPU seconds": done.cpu_seconds,
        "requests": told["requests"],
        "start and reports": done.seconds - told["seconds"],
        **{layer: each["seconds"] for layer, each in told["layers"].items()},
    }
