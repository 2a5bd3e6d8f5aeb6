"""Comparison of two reports: what is new, fixed, still broken, chosen otherwise, or no longer judged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract_tests.cases.model import case_from_json
from contract_tests.contract.file_shapes import load_json_file
from contract_tests.results.finding_keys import FindingKey, build_keys, list_inputs

REPORT_FILE = "report.json"
#: Verdicts that decide nothing.
UNDECIDED = ("inconclusive", "not observed")


@dataclass(frozen=True, slots=True)
class KnownFinding:
    """What a report says of a finding: its key, the start of the first run that saw it, and its severity.

    ``is_choice`` is true for an assumed rule: the deployment chose another behaviour, and nothing is broken.
    """

    key: FindingKey
    first_seen: str
    is_choice: bool = False


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """What a report says about the findings of a run, and about the run itself.

    ``judged`` are the ids of the rules with a verdict; ``reasons`` say why the others have none.
    """

    name: str
    started: str
    findings: tuple[KnownFinding, ...]
    judged: frozenset[str] = frozenset()
    reasons: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    contract: str = ""
    kit: str = ""
    callers: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()

    @property
    def first_seen(self) -> Mapping[FindingKey, str]:
        """The start of the first run that saw each finding."""
        return {known.key: known.first_seen for known in self.findings}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The findings of a run beside those of an earlier report, each list in order.

    ``chosen`` are choices that only one of them saw. ``unjudged`` are earlier findings whose rule has no verdict now,
    so that they may be fixed or not. With ``is_baseline``, earlier findings do not fail the run.
    """

    earlier: ReportSummary
    new: tuple[FindingKey, ...]
    still: tuple[FindingKey, ...]
    fixed: tuple[FindingKey, ...]
    chosen: tuple[FindingKey, ...]
    unjudged: tuple[FindingKey, ...]
    is_baseline: bool = False

    @property
    def groups(self) -> Mapping[str, tuple[FindingKey, ...]]:
        """The lists by their names for a reader."""
        return {
            "new": self.new,
            "fixed": self.fixed,
            "still broken": self.still,
            "chosen otherwise": self.chosen,
            "no longer judged": self.unjudged,
        }


def compare_reports(earlier: ReportSummary, now: ReportSummary, *, is_baseline: bool = False) -> Comparison:
    """Return how the findings of a report differ from those of an earlier one."""
    before = {known.key: known for known in earlier.findings}
    seen = {known.key: known for known in now.findings}
    gone = {key for key in before if key not in seen}
    judged = {key for key in gone if key.rule in now.judged}
    appeared = {key for key in seen if key not in before}
    choices = {key for key in appeared if seen[key].is_choice}
    choices |= {key for key in judged if before[key].is_choice}
    both = {key for key in seen if key in before and not (seen[key].is_choice or before[key].is_choice)}
    return Comparison(
        earlier,
        new=tuple(sorted(appeared - choices)),
        still=tuple(sorted(both)),
        fixed=tuple(sorted(judged - choices)),
        chosen=tuple(sorted(choices)),
        unjudged=tuple(sorted(gone - judged)),
        is_baseline=is_baseline,
    )


def load_report(path: Path) -> ReportSummary:
    """Read a ``report.json``, or the one in a report folder; raise ValueError if it is unusable."""
    file = path / REPORT_FILE if path.is_dir() else path
    return parse_report(load_json_file(file, "report"), path)


def parse_report(data: Mapping[str, Any], source: Path) -> ReportSummary:
    """Return the summary of a report's JSON of the right shape; raise ValueError for a time that is none."""
    rows = data.get("rules", ())
    findings = tuple(_parse_findings(data))
    for text in (data["started"], *(known.first_seen for known in findings)):
        _check_time(text, source)
    return ReportSummary(
        name=str(source),
        started=data["started"],
        findings=findings,
        judged=frozenset(row["rule"] for row in rows if row["verdict"] not in UNDECIDED),
        reasons={row["rule"]: row["reason"] for row in rows if row["verdict"] in UNDECIDED},
        target=data.get("target", ""),
        contract=data.get("contract", ""),
        kit=data.get("kit", ""),
        callers=tuple(data.get("callers", ())),
        layers=tuple(data.get("layers", ())),
    )


def _parse_findings(data: Mapping[str, Any]) -> Iterator[KnownFinding]:
    """Yield the findings by their keys; a report of an older kit has none, but has their cases."""
    if "finding_keys" in data:
        for entry in data["finding_keys"]:
            key = FindingKey(entry["rule"], entry["input"], entry["seen"])
            yield KnownFinding(key, entry["first_seen"], entry["severity"] == "note")
        return
    for entry in data["findings"]:
        differences = [(one["property"], "", "") for one in entry.get("differences", ())]
        inputs = list_inputs(case_from_json(entry["case"]), differences)
        for key in build_keys(entry["rule"], inputs, entry["reason"]):
            yield KnownFinding(key, data["started"], entry.get("severity") == "note")


def _check_time(text: str, source: Path) -> None:
    try:
        parse_time(text)
    except ValueError:
        raise ValueError(f"{source}: expected times such as 2026-11-28T09:00:00+00:00") from None


def parse_time(text: str) -> datetime:
    """Return the time that a report wrote; raise ValueError for another text."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def format_age(first_seen: str, started: str) -> str:
    """Return since when a finding is known, and for how long at the start of a run."""
    first, now = parse_time(first_seen), parse_time(started)
    days = max(0, (now.date() - first.date()).days)
    age = f", {days} day{'s' if days > 1 else ''}" if days else ""
    return f"known since {first.date().isoformat()}{age}"
