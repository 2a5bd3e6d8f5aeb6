"""Progress of a benchmark on standard error, and its notes about contenders that are left out."""

import sys
import time
from dataclasses import dataclass, field

from contract_tests.cli.long_runs.progress import format_duration


@dataclass(frozen=True, slots=True)
class Progress:
    """The name of a benchmark, and the notes that its section of the page lists."""

    benchmark: str
    notes: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def report(self, line: str) -> None:
        """Print a line with the time that the benchmark has taken."""
        elapsed = format_duration(time.monotonic() - self.started)
        print(f"{self.benchmark}, {elapsed}: {line}", file=sys.stderr, flush=True)

    def leave_out(self, name: str, reason: object, since: str = "") -> None:
        """Print that a contender is left out, and note it once for the page."""
        line = f"{name} is left out{since}: {reason}"
        self.report(line)
        if line not in self.notes:
            self.notes.append(line)
