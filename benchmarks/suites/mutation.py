"""Mutants of the contract: how fast they are tried."""

import json
import os
import sys
from typing import Any

from benchmarks.processes import server
from benchmarks.processes.server import BrokenError
from benchmarks.suites.gate import HOOK
from benchmarks.suites.rounds import Tell
from benchmarks.suites.scale import Scale


def measured(scale: Scale, tell: Tell) -> dict[str, Any]:
    """The mutants that are tried, and what all of them take, with the start of Python."""
    tell("all mutants" if not scale.mutants else " ".join(scale.mutants))
    with server.folder() as made:
        told = ("--target", "wsgi:mock_server:create_app", *HOOK, "--report", str(made), *scale.mutants)
        done = server.run([sys.executable, "-m", "contract_tests", "mutate", *told], timeout=600)
        if done.code not in {0, 1}:
            raise BrokenError(f"contract-tests mutate ends with {done.code}: {done.said[-300:]}")
        report = json.loads((made / "mutants.json").read_text(encoding="utf-8"))
    count = len(report["mutants"])
    return {
        "mutants": count,
        "seconds": done.seconds,
        "CPU seconds": done.cpu_seconds,
        "jobs": os.cpu_count(),
    }
