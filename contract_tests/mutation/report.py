"""Reports of a mutation run: in a terminal, as JSON, and as an HTML page with every mutant."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from contract_tests.contract.files.report_file import write_file
from contract_tests.contract.resources import VERSION
from contract_tests.mutation.engine import MutantResult
from contract_tests.results.reproduction.curl import build_curl

STATES = ("killed", "equivalent", "not observable", "invalid", "survived")
_STYLES = {
    "killed": "green",
    "equivalent": "dim",
    "not observable": "yellow",
    "invalid": "yellow",
    "survived": "bold red",
}
_TONES = {"killed": "bold green", "scoped": "bold yellow", "survived": "bold red"}


@dataclass(frozen=True, slots=True)
class MutationReport:
    """Results of a mutation run; ``wrong`` lists entries that are wrongly listed as equivalent."""

    target: str
    seconds: float
    results: tuple[MutantResult, ...]
    wrong: tuple[str, ...]
    document: Mapping[str, Any]

    @property
    def exit_code(self) -> int:
        """The exit code: 1 if a mutant survived or an entry is wrongly listed as equivalent.

        A mutant in a scope may survive: a rule that one case tries is not tried by every caller, team and time.
        """
        survivors = [result for result in self.results if result.state == "survived"]
        whole = [result for result in survivors if not result.mutant.operator.startswith("scope")]
        return 1 if self.wrong or whole else 0

    @property
    def tone(self) -> Literal["killed", "scoped", "survived"]:
        """The state whose colour the outcome has; ``scoped`` if mutants survived in a scope only."""
        if self.exit_code:
            return "survived"
        return "scoped" if any(result.state == "survived" for result in self.results) else "killed"

    def count_states(self) -> Counter[str]:
        """Count the mutants per state."""
        return Counter(result.state for result in self.results)


def print_mutation(report: MutationReport, console: Console) -> None:
    """Print a row per operator and per rule, then every survivor with its change, then one line."""
    console.print(_build_table("operator", report.results, lambda result: (result.mutant.operator,)))
    console.print()
    console.print(_build_table("rule", report.results, lambda result: result.mutant.rules or ("(no rule)",)))
    for result in report.results:
        if result.state in ("survived", "not observable", "invalid"):
            console.print(f"\n[{_STYLES[result.state]}]{result.state}[/] {result.mutant.id}", highlight=False)
            console.print(result.reason or result.mutant.diff(report.document), markup=False, highlight=False)
    for name in report.wrong:
        console.print(
            f"wrongly listed as equivalent (killed, or not a mutant): {name}", style="bold red", markup=False
        )
    print_outcome(report, console)


def print_outcome(report: MutationReport, console: Console) -> None:
    """Print the outcome in one line."""
    console.print(format_mutation_line(report), style=_TONES[report.tone], markup=False)


def format_mutation_line(report: MutationReport) -> str:
    """Return the outcome in one line."""
    counts = report.count_states()
    states = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    requests = sum(result.requests for result in report.results)
    return f"{len(report.results)} mutants: {states}; {requests} requests in {report.seconds:.1f} s"


def mutation_to_json(report: MutationReport) -> dict[str, Any]:
    """Return the report as plain JSON values."""
    return {
        "kit": VERSION, "target": report.target, "seconds": round(report.seconds, 3),
        "exit_code": report.exit_code, "counts": dict(report.count_states()), "wrong": list(report.wrong),
        "mutants": [_result_to_json(result, report.document) for result in report.results],
    }  # fmt: skip


def write_mutation(report: MutationReport, folder: Path) -> None:
    """Write ``mutants.json`` and ``mutants.html``; raise OSError if that fails."""
    from jinja2 import Environment, PackageLoader

    folder.mkdir(parents=True, exist_ok=True)
    data = mutation_to_json(report)
    write_file(folder / "mutants.json", json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    environment = Environment(
        loader=PackageLoader("contract_tests.reports"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    operators = sorted({mutant["operator"] for mutant in data["mutants"]})
    page = environment.get_template("mutants.html.j2").render(
        report=data,
        operators=operators,
        matrix=_group_mutants(data["mutants"]),
        line=format_mutation_line(report),
        tone=report.tone,
        cell=format_cell,
    )
    write_file(folder / "mutants.html", page)


def _result_to_json(result: MutantResult, document: Mapping[str, Any]) -> dict[str, Any]:
    last = result.exchanges[-1] if result.exchanges else None
    return {
        "id": result.mutant.id, "operator": result.mutant.operator, "rules": list(result.mutant.rules),
        "state": result.state, "reason": result.reason, "case": result.case, "layer": result.layer,
        "rule": result.rule,
        "requests": result.requests, "needs": result.needs, "diff": result.mutant.diff(document),
        "curl": build_curl(last) if last else "",
        "answer": f"{last.status} {last.response_body[:500]}" if last else "",
    }  # fmt: skip


def _group_mutants(mutants: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, list[Mapping[str, Any]]]]:
    """Return the mutants by rule and operator."""
    rows: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for mutant in mutants:
        for rule in mutant["rules"] or ["(no rule)"]:
            rows.setdefault(rule, {}).setdefault(mutant["operator"], []).append(mutant)
    return dict(sorted(rows.items()))


def format_cell(mutants: Sequence[Mapping[str, Any]]) -> str:
    """Return the number killed of those that can be killed, and the number of equivalent ones: ``3/4 =1``."""
    counts = Counter(mutant["state"] for mutant in mutants)
    possible, equivalent = len(mutants) - counts["equivalent"], counts["equivalent"]
    parts = [f"{counts['killed']}/{possible}" if possible else "", f"={equivalent}" if equivalent else ""]
    return " ".join(filter(None, parts))


def _build_table(name: str, results: Sequence[MutantResult], keys: Any) -> Table:
    rows: dict[str, Counter[str]] = {}
    for result in results:
        for key in keys(result):
            rows.setdefault(key, Counter())[result.state] += 1
    table = Table(box=None, pad_edge=False)
    table.add_column(name, no_wrap=True)
    for state in STATES:
        table.add_column(state, justify="right")
    for key, counts in sorted(rows.items()):
        cells = [Text(str(counts[s]) if counts[s] else "", style=_STYLES[s]) for s in STATES]
        table.add_row(key, *cells)
    return table
