"""The audit: mutants of each source are sorted, then judged, then counted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.audit.judging import list_violated
from benchmarks.audit.model import Mutant, RecordedCase
from benchmarks.audit.mutants import iterate_mutants
from benchmarks.audit.sorting import Row, sort_mutant
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec


@dataclass(slots=True)
class Tally:
    """The mutants of one source: how many there are, and how many the judge reports, per row of the sorting.

    ``operators`` counts them per operator. ``wrong`` describes each one that the judge takes for something else.
    """

    cases: int = 0
    mutants: Counter[Row] = field(default_factory=Counter)
    reported: Counter[Row] = field(default_factory=Counter)
    operators: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def count(self, *, forbidden: bool) -> tuple[int, int]:
        """Return the number of forbidden mutants, or of open ones, and how many of them are reported."""
        rows = [row for row in self.mutants if row.forbidden == forbidden]
        return sum(self.mutants[row] for row in rows), sum(self.reported[row] for row in rows)


def audit_cases(cases: Iterable[RecordedCase]) -> Tally:
    """Sort and judge the mutants of recorded cases; raise ValueError if the traffic itself is reported."""
    spec, catalogue = load_spec(), load_catalogue()
    recorded = list(cases)
    tally = Tally(cases=len(recorded))
    for case in recorded:
        if violated := list_violated(case.entries, own=case.own, spec=spec, catalogue=catalogue):
            raise ValueError(f"the traffic of {case.case} does not conform: {', '.join(sorted(violated))}")
    for mutant in iterate_mutants(recorded):
        row = sort_mutant(mutant)
        reported = bool(list_violated(mutant.entries, own=mutant.own, spec=spec, catalogue=catalogue))
        tally.mutants[row] += 1
        tally.reported[row] += reported
        tally.operators[mutant.operator] += 1
        if reported != row.forbidden:
            tally.wrong.append(_describe(mutant, row))
    return tally


def _describe(mutant: Mutant, row: Row) -> str:
    what = "missed" if row.forbidden else "false alarm"
    change = f"{mutant.operator} {mutant.variant}".strip()
    return f"{what}: {change} on the {mutant.place} in {mutant.case}; {row.reason}"
