"""Mutants of the contract: the number that `contract-tests mutate` tries per second."""

import json
import os
import sys
from typing import Any

from benchmarks.processes.command import run_command
from benchmarks.processes.errors import BenchmarkError
from benchmarks.processes.folders import temporary_folder
from benchmarks.servers.progress import Progress
from benchmarks.suites.gate import CONTROL_HOOK
from benchmarks.suites.scale import Scale

_COMMAND = (sys.executable, "-m", "contract_tests", "mutate", "--target", "wsgi:mock_server:create_app")
_TIMEOUT_SECONDS = 600


def measure_mutation(scale: Scale, progress: Progress) -> dict[str, Any]:
    """Return the number of mutants and the time for all of them, including the start of Python."""
    progress.report(" ".join(scale.mutate_options) or "all mutants")
    with temporary_folder() as folder:
        options = (*CONTROL_HOOK, "--report", str(folder), *scale.mutate_options)
        result = run_command([*_COMMAND, *options], timeout=_TIMEOUT_SECONDS)
        if result.code not in {0, 1}:
            raise BenchmarkError(
                f"contract-tests mutate ends with exit code {result.code}: {result.output[-300:]}"
            )
        report = json.loads((folder / "mutants.json").read_text(encoding="utf-8"))
    return {
        "mutants": len(report["mutants"]),
        "seconds": result.seconds,
        "CPU seconds": result.cpu_seconds,
        "jobs": os.cpu_count(),
    }
