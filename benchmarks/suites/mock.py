"""The mock beside a bare Flask app and other mocks: what a request costs, what a start costs."""

import contextlib
import sys
from collections import defaultdict
from typing import Any

from benchmarks.load.figures import figure
from benchmarks.load.workloads import WORKLOADS
from benchmarks.processes import server as processes
from benchmarks.processes.server import BrokenError
from benchmarks.servers.contenders import CONTENDERS, Ready, serving, together
from benchmarks.suites.rounds import Tell, played
from benchmarks.suites.scale import Scale

#: By contender: seconds, seconds of CPU and megabytes of each start.
Starts = defaultdict[str, defaultdict[str, list[float]]]
_IN_PROCESS = """
import time; began = time.perf_counter()
import flask.testing; from mock_server import create_app; imported = time.perf_counter()
answer = create_app().test_client().post("/api/v1/containers", json={}); ended = time.perf_counter()
print((imported - began) * 1e3, (ended - imported) * 1e3, answer.status_code)
"""


def measured(scale: Scale, tell: Tell) -> dict[str, Any]:
    """Starts, then all contenders side by side."""
    starts = _starts(scale, tell)
    tell(f"start {scale.starts} of {scale.starts}")
    with together(CONTENDERS, tell) as ready:
        for one in ready:
            _noted(one, starts)
        costs = played(
            ready,
            WORKLOADS,
            rounds=scale.rounds,
            seconds=scale.seconds,
            warm_up=scale.warm_up,
            tell=tell,
        )
        memory = {one.contender.name: one.server.memory() for one in ready}
        notes = sorted(note for one in ready for note in one.notes)
    return {
        "starts": {
            name: {kind: figure(values) for kind, values in found.items()} for name, found in starts.items()
        },
        "costs": costs,
        "memory": memory,
        "in process": _in_process(scale),
        "notes": notes,
    }


def _starts(scale: Scale, tell: Tell) -> Starts:
    """All starts but the last, which is that of the rounds; what does not start is told of then."""
    found: Starts = defaultdict(lambda: defaultdict(list))
    for number in range(1, scale.starts):
        tell(f"start {number} of {scale.starts}")
        for contender in CONTENDERS:
            with contextlib.suppress(BrokenError), serving(contender) as ready:
                _noted(ready, found)
    return found


def _noted(ready: Ready, found: Starts) -> None:
    noted, server = found[ready.contender.name], ready.server
    noted["seconds"].append(server.seconds)
    noted["cpu"].append(server.cpu_seconds)
    noted["memory"].append(server.memory())


def _in_process(scale: Scale) -> dict[str, Any]:
    """Milliseconds of the import, and of an app with its first answer."""
    told = [
        processes.run([sys.executable, "-c", _IN_PROCESS], timeout=60).said.split()
        for _ in range(scale.starts)
    ]
    return {
        "import": figure(float(each[0]) for each in told),
        "first answer": figure(float(each[1]) for each in told),
    }
