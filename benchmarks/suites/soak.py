"""A long run: fuzz a mock on SQLite, and write the memory of both processes to docs/soak.md.

`python -m benchmarks.suites.soak [SECONDS]`, an hour by default.
"""

import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.processes.folders import ROOT, temporary_folder
from contract_tests.cli.long_runs.progress import format_duration, format_kinds
from contract_tests.contract.rules import load_catalogue
from contract_tests.reports.content.blocks import list_failing_blocks
from contract_tests.runs.checkpoint import load_state

_BIN = Path(sys.executable).parent
_PAGE = ROOT / "docs/soak.md"
#: The part of the run that fills bounded memory: kept traffic, caches, the journal of the mock.
_WARM_UP = 1 / 6
#: Memory grows if the second half needs more than this, compared with the first half.
_MAX_GROWTH = 1.05


@dataclass(frozen=True, slots=True)
class MemorySample:
    """The resident megabytes of the fuzzer and the mock after so many seconds."""

    seconds: float
    fuzzer: float
    mock: float


def main() -> int:
    """Fuzz for the given seconds, and return 1 if a rule is violated or the memory of the fuzzer grows."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
    with temporary_folder() as folder:
        command = [str(_BIN / "mock-server"), "--port", "0", "--store", f"sqlite:///{folder}/services.db"]
        mock = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert mock.stdout is not None
            url = next(found[0] for line in mock.stdout if (found := re.search(r"http://\S+", line)))
            return _fuzz_mock(url, mock.pid, seconds, folder / "report")
        finally:
            mock.terminate()
            mock.wait(timeout=10)


def _fuzz_mock(url: str, mock_pid: int, seconds: float, folder: Path) -> int:
    options = ("--layers", "properties", "--seed", "1", "--time", f"{seconds:g}s", "--report", str(folder))
    command = [str(_BIN / "contract-tests"), "run", "--quiet", "--target", url, *options]
    fuzzer = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    samples = _sample_memory(fuzzer, mock_pid, seconds, folder)
    report = json.loads((folder / "report.json").read_text("utf-8"))
    warm = [sample for sample in samples if sample.seconds >= seconds * _WARM_UP]
    page = _write_page(report, warm, seconds)
    _PAGE.write_text(page, "utf-8")
    print(page)
    print(f"next: read {_PAGE}; git diff shows what changed since the last time", file=sys.stderr)
    return fuzzer.returncode or int(_memory_grows(warm))


def _sample_memory(
    fuzzer: "subprocess.Popen[bytes]", mock_pid: int, seconds: float, folder: Path
) -> Sequence[MemorySample]:
    """Sample and print the memory of both processes until the fuzzer ends."""
    samples: list[MemorySample] = []
    started = time.monotonic()
    while fuzzer.poll() is None:
        time.sleep(min(10.0, seconds / 60))
        elapsed = time.monotonic() - started
        if elapsed < seconds:
            sample = MemorySample(round(elapsed, 1), _read_resident(fuzzer.pid), _read_resident(mock_pid))
            samples.append(sample)
            print(format_sample(sample, seconds, folder), flush=True)
    return samples


def format_sample(sample: MemorySample, limit: float, folder: Path) -> str:
    """Return the time, the memory, and what the fuzzer has sent and found, as its state in ``folder`` says."""
    times = f"{format_duration(sample.seconds)} of {format_duration(limit)}"
    left = format_duration(max(0.0, limit - sample.seconds))
    memory = f"fuzzer {sample.fuzzer:.1f} MB, mock {sample.mock:.1f} MB"
    try:
        state = load_state(folder)
    except ValueError:  # not written yet
        return f"{times}, {left} left, {memory}"
    report = state.build_report(load_catalogue())
    kinds = format_kinds([block.rule.id for block in list_failing_blocks(report.findings, report.verdicts)])
    sent = f"{state.requests:,} requests, {state.requests / max(state.seconds, 1):,.0f}/s, {kinds}"
    return f"{times}, {left} left, {sent}, {memory}"


def _read_resident(pid: int) -> float:
    """Return the resident megabytes of a process and its children, 0 after its end."""
    try:
        process = psutil.Process(pid)
        tree = (process, *process.children(recursive=True))
        return sum(each.memory_info().rss for each in tree) / 1e6
    except psutil.Error:
        return 0.0


def _compare_halves(values: Sequence[float]) -> tuple[float, float]:
    """Return the highest value of the first half and of the second half."""
    half = len(values) // 2
    return max(values[:half]), max(values[half:])


def _memory_grows(warm: Sequence[MemorySample]) -> bool:
    first, second = _compare_halves([sample.fuzzer for sample in warm])
    return second > first * _MAX_GROWTH


def _write_page(report: Mapping[str, Any], warm: Sequence[MemorySample], seconds: float) -> str:
    """Return the text of docs/soak.md for the samples after the warm-up."""
    rows = (
        _build_row("the fuzzer", [sample.fuzzer for sample in warm]),
        _build_row("the mock", [sample.mock for sample in warm]),
    )
    return f"""# A long run

Written by `make soak` on {datetime.now(UTC).date()}; {os.cpu_count()} cores, Python {platform.python_version()}.

`contract-tests run --layers properties --time {seconds:g}s` against a mock on SQLite: {report["requests"]} requests,
{report["created"]} services created, {len(report["findings"])} findings.

| resident memory, MB | at the end of warm-up | highest in the first half after it | highest in the second half |
|---|---|---|---|
{rows[0]}
{rows[1]}

Warm-up is the first sixth. The fuzzer's memory {"grows" if _memory_grows(warm) else "is flat"} after it.
"""


def _build_row(name: str, values: Sequence[float]) -> str:
    first, second = _compare_halves(values)
    return f"| {name} | {values[0]:.0f} | {first:.0f} | {second:.0f} |"


if __name__ == "__main__":
    sys.exit(main())
