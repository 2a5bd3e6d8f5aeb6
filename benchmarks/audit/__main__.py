"""Run the audit, write docs/audit.md, and return 1 if the judge takes a mutant for something else."""

import sys

from benchmarks.audit.page import render_page
from benchmarks.audit.run import audit_cases
from benchmarks.audit.traffic import SOURCES, record_cases
from benchmarks.processes.folders import ROOT


def main() -> int:
    """Audit all sources, and print a line for each, and one for each mutant with a wrong judgement."""
    tallies = {}
    for name, source in SOURCES.items():
        tally = tallies[name] = audit_cases(record_cases(source))
        forbidden, found = tally.count(forbidden=True)
        left_open, alarms = tally.count(forbidden=False)
        print(
            f"{name}: {found} of {forbidden} forbidden mutants reported, {alarms} of {left_open} open ones",
            flush=True,
        )
        for line in tally.wrong:
            print(f"  {line}")
    page = ROOT / "docs/audit.md"
    page.write_text(render_page(tallies), encoding="utf-8")
    print(f"next: read {page.relative_to(ROOT)}; git diff shows what changed since the last audit")
    return 1 if any(tally.wrong for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
