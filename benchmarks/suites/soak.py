"""`make soak`: an hour of fuzzing a mock on SQLite, and whether the memory of either grows. Writes docs/soak.md.

python -m benchmarks.suites.soak [SECONDS]
"""

import contextlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
#: What was sent until here fills what is bounded: the traffic that is kept, caches, the journal of the mock.
WARM = 1 / 6


def main() -> int:
    """Fuzz for the given time (an hour), and end with 1 where something is violated or memory grows."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/services.db"
        mock = subprocess.Popen(
            [BIN / "mock-server", "--port", "0", "--store", store], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            assert mock.stdout is not None
            url = next(found[0] for line in mock.stdout if (found := re.search(r"http://\S+", line)))
            return _fuzz(url, mock.pid, seconds, Path(folder) / "report")
        finally:
            mock.terminate()
            mock.wait(timeout=10)


def _fuzz(url: str, mock: int, seconds: float, report: Path) -> int:
    command = [str(BIN / "contract-tests"), "run", "--target", url, "--layers", "properties", "--seed", "1",
               "--time", f"{seconds:g}s", "--report", str(report)]  # fmt: skip
    fuzzer = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    samples: list[tuple[float, float, float]] = []
    started = time.monotonic()
    while fuzzer.poll() is None:
        time.sleep(min(10.0, seconds / 60))
        elapsed = time.monotonic() - started
        if elapsed < seconds:
            samples.append((round(elapsed, 1), _resident(fuzzer.pid), _resident(mock)))
            print(
                f"{elapsed:7.0f} s  fuzzer {samples[-1][1]:6.1f} MB  mock {samples[-1][2]:6.1f} MB",
                flush=True,
            )
    told = json.loads((report / "report.json").read_text("utf-8"))
    page, grows = _page(told, samples, seconds)
    (ROOT / "docs" / "soak.md").write_text(page, "utf-8")
    print(page)
    return fuzzer.returncode or int(grows)


def _resident(pid: int) -> float:
    """Megabytes in memory of a process and its children."""
    used = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        used = sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
    return used / 1e6


def _page(
    told: dict[str, object], samples: list[tuple[float, float, float]], seconds: float
) -> tuple[str, bool]:
    warm = [sample for sample in samples if sample[0] >= seconds * WARM]
    half = len(warm) // 2
    fuzzer = [max(sample[1] for sample in part) for part in (warm[:half], warm[half:])]
    mock = [max(sample[2] for sample in part) for part in (warm[:half], warm[half:])]
    grows = fuzzer[1] > fuzzer[0] * 1.05
    lines = [
        "# A long run",
        "",
        (
            f"Written by `make soak` on {datetime.now(UTC).date()}; {os.cpu_count()} cores,"
            f" Python {platform.python_version()}."
        ),
        "",
        (
            f"`contract-tests run --layers properties --time {seconds:g}s` against a mock on SQLite:"
            f" {told['requests']} requests,"
        ),
        f"{told['created']} services created, {len(told['findings'])} findings.",  # type: ignore[arg-type]
        "",
        "| resident memory, MB | at the end of warm-up | most in the first half after it | most in the second half |",
        "|---|---|---|---|",
        f"| the fuzzer | {warm[0][1]:.0f} | {fuzzer[0]:.0f} | {fuzzer[1]:.0f} |",
        f"| the mock | {warm[0][2]:.0f} | {mock[0]:.0f} | {mock[1]:.0f} |",
        "",
        f"Warm-up is the first sixth. The fuzzer's memory {'grows' if grows else 'is flat'} after it.",
        "",
    ]
    return "\n".join(lines), grows


if __name__ == "__main__":
    sys.exit(main())
