"""Progress of a benchmark on standard error, and its notes about contenders that are left out."""

import sys
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Progress:
    """The name of a benchmark, and the notes that its section of the page lists."""

    benchmark: str
    notes: list[str] = field(default_factory=list)

    def report(self, line: str) -> None:
        """Print a line."""
        print(f"{self.benchmark}: {line}", file=sys.stderr, flush=True)

    def leave_out(self, name: str, reason: object, since: str = "") -> None:
        """Print that a contender is left out, and note it once for the page."""
        line = f"{name} is left out{since}: {reason}"
        self.report(line)
        if line not in self.notes:
            self.notes.append(line)
