"""What mutation showed: in a terminal, as JSON, and as a page that shows each mutant and what killed it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from contract_tests.contract.resources import VERSION
from contract_tests.mutation.engine import MutantResult

STATES = ("killed", "equivalent", "not observable", "invalid", "survived")
_STYLES = {
    "killed": "green",
    "equivalent": "dim",
    "not observable": "yellow",
    "invalid": "yellow",
    "survived": "bold red",
}


@dataclass(frozen=True, slots=True)
class MutationReport:
    """All fates of a run; ``wrong`` are entries of the list of equivalent mutants that do not hold."""

    target: str
    seconds: float
    fates: tuple[MutantResult, ...]
    wrong: tuple[str, ...]
    document: Mapping[str, Any]

    @property
    def exit_code(self) -> int:
        """1 where a mutant survived or the list of equivalent mutants is wrong."""
        return 1 if self.wrong or any(fate.state == "survived" for fate in self.fates) else 0

    def count_states(self) -> Counter[str]:
        """How many mutants met which fate."""
        return Counter(fate.state for fate in self.fates)


def print_mutation(report: MutationReport, console: Console) -> None:
    """Print a row per operator, then per rule, then every survivor with its change, then one line."""
    console.print(_build_table("operator", report.fates, lambda fate: (fate.mutant.operator,)))
    console.print()
    console.print(_build_table("rule", report.fates, lambda fate: fate.mutant.rules or ("(no rule)",)))
    for fate in report.fates:
        if fate.state in ("survived", "not observable", "invalid"):
            console.print(f"\n[{_STYLES[fate.state]}]{fate.state}[/] {fate.mutant.id}", highlight=False)
            console.print(fate.reason or fate.mutant.diff(report.document), markup=False, highlight=False)
    for name in report.wrong:
        console.print(
            f"listed as equivalent, but killed or no mutant: {name}", style="bold red", markup=False
        )
    console.print(
        format_mutation_line(report), style="bold red" if report.exit_code else "bold green", markup=False
    )


def format_mutation_line(report: MutationReport) -> str:
    """Return the outcome in one line."""
    counts = report.count_states()
    said = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    sent = sum(fate.requests for fate in report.fates)
    return f"{len(report.fates)} mutants: {said}; {sent} requests in {report.seconds:.1f} s"


def mutation_to_json(report: MutationReport) -> dict[str, Any]:
    """Return the report as plain JSON values."""
    return {
        "kit": VERSION, "target": report.target, "seconds": round(report.seconds, 3),
        "exit_code": report.exit_code, "counts": dict(report.count_states()), "wrong": list(report.wrong),
        "mutants": [_result_to_json(fate, report.document) for fate in report.fates],
    }  # fmt: skip


def write_mutation(report: MutationReport, folder: Path) -> None:
    """Write ``mutants.json`` and ``mutants.html``; OSError where that is not possible."""
    from jinja2 import Environment, PackageLoader

    folder.mkdir(parents=True, exist_ok=True)
    data = mutation_to_json(report)
    (folder / "mutants.json").write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")
    environment = Environment(
        loader=PackageLoader("contract_tests.reports"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    operators = sorted({mutant["operator"] for mutant in data["mutants"]})
    page = environment.get_template("mutants.html.j2").render(
        report=data,
        operators=operators,
        matrix=_group_mutants(data["mutants"]),
        line=format_mutation_line(report),
        states=STATES,
    )
    (folder / "mutants.html").write_text(page, "utf-8")


def _result_to_json(fate: MutantResult, document: Mapping[str, Any]) -> dict[str, Any]:
    last = fate.exchanges[-1] if fate.exchanges else None
    return {
        "id": fate.mutant.id, "operator": fate.mutant.operator, "rules": list(fate.mutant.rules),
        "state": fate.state, "reason": fate.reason, "case": fate.case, "layer": fate.layer, "rule": fate.rule,
        "requests": fate.requests, "needs": fate.needs, "diff": fate.mutant.diff(document),
        "curl": last.to_curl() if last else "", "answer": f"{last.status} {last.response_body[:500]}" if last else "",
    }  # fmt: skip


def _group_mutants(mutants: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, list[Mapping[str, Any]]]]:
    """Return the mutants by rule and operator."""
    rows: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for mutant in mutants:
        for rule in mutant["rules"] or ["(no rule)"]:
            rows.setdefault(rule, {}).setdefault(mutant["operator"], []).append(mutant)
    return dict(sorted(rows.items()))


def _build_table(name: str, fates: Sequence[MutantResult], keys: Any) -> Table:
    rows: dict[str, Counter[str]] = {}
    for fate in fates:
        for key in keys(fate):
            rows.setdefault(key, Counter())[fate.state] += 1
    table = Table(box=None, pad_edge=False)
    table.add_column(name, no_wrap=True)
    for state in STATES:
        table.add_column(state, justify="right")
    for key, counts in sorted(rows.items()):
        cells = [Text(str(counts[s]) if counts[s] else "", style=_STYLES[s]) for s in STATES]
        table.add_row(key, *cells)
    return table
