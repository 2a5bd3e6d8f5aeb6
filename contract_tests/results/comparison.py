"""Comparison of two reports: what is new, fixed, still broken, chosen otherwise, or no longer judged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract_tests.contract.files.file_shapes import load_json_file
from contract_tests.results.finding_keys import FindingKey, group_keys

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


@dataclass(frozen=True, slots=True)
class Comparison:
    """The findings of a run beside those of an earlier report, each list in order.

    ``chosen`` are choices that only one of them saw. ``unjudged`` are earlier findings whose rule has no verdict now,
    so that they may be fixed or not. ``first_seen`` has the findings of the run that the earlier report knows, each
    with the start of the first run that saw it. With ``is_baseline`` they do not fail the run.
    """

    earlier: ReportSummary
    new: tuple[FindingKey, ...]
    still: tuple[FindingKey, ...]
    fixed: tuple[FindingKey, ...]
    chosen: tuple[FindingKey, ...]
    unjudged: tuple[FindingKey, ...]
    first_seen: Mapping[FindingKey, str]
    is_baseline: bool = False

    @property
    def keys(self) -> Mapping[str, tuple[FindingKey, ...]]:
        """The lists by their names for a reader."""
        return {
            "new": self.new,
            "fixed": self.fixed,
            "still broken": self.still,
            "chosen otherwise": self.chosen,
            "no longer judged": self.unjudged,
        }

    @property
    def groups(self) -> Mapping[str, Mapping[FindingKey, tuple[FindingKey, ...]]]:
        """The same lists, with one entry for all keys of a finding."""
        return {name: group_keys(keys) for name, keys in self.keys.items()}


def compare_reports(earlier: ReportSummary, now: ReportSummary, *, is_baseline: bool = False) -> Comparison:
    """Return how the findings of a report differ from those of an earlier one."""
    before, seen = _index(earlier.findings), _index(now.findings)
    known = {one.key: _find(before, one.key) for one in now.findings}
    gone = [one for one in earlier.findings if not _is_shown(one.key, seen)]
    fixed = [one for one in gone if one.key.rule in now.judged]
    new = [one for one in now.findings if known[one.key] is None]
    choices = {one.key for one in (*new, *fixed) if one.is_choice}
    both = [(one, other) for one in now.findings if (other := known[one.key])]
    return Comparison(
        earlier,
        new=_sort_keys(one for one in new if not one.is_choice),
        still=_sort_keys(one for one, other in both if not (one.is_choice or other.is_choice)),
        fixed=_sort_keys(one for one in fixed if not one.is_choice),
        chosen=tuple(sorted(choices)),
        unjudged=_sort_keys(one for one in gone if one.key.rule not in now.judged),
        first_seen={one.key: other.first_seen for one, other in both},
        is_baseline=is_baseline,
    )


#: Findings by their rule and what was seen.
_Index = Mapping[tuple[str, str], list[KnownFinding]]


def _index(findings: Iterable[KnownFinding]) -> _Index:
    index: dict[tuple[str, str], list[KnownFinding]] = {}
    for known in findings:
        index.setdefault((known.key.rule, known.key.seen), []).append(known)
    return index


def _find(index: _Index, key: FindingKey) -> KnownFinding | None:
    """Return the finding that covers a key, None without one."""
    return next((known for known in index.get((key.rule, key.seen), ()) if known.key.covers(key)), None)


def _is_shown(key: FindingKey, index: _Index) -> bool:
    """Return whether a finding is still there, also if another kind of request shows it now."""
    others = index.get((key.rule, key.seen), ())
    return any(one.key.covers(key) or key.covers(one.key) for one in others)


def _sort_keys(findings: Iterable[KnownFinding]) -> tuple[FindingKey, ...]:
    return tuple(sorted(one.key for one in findings))


def load_report(path: Path) -> ReportSummary:
    """Read a ``report.json``, or the one in a report folder; raise ValueError if it is unusable."""
    file = path / REPORT_FILE if path.is_dir() else path
    return parse_report(load_json_file(file, "report"), path)


def parse_report(data: Mapping[str, Any], source: Path) -> ReportSummary:
    """Return the summary of a report's JSON; raise ValueError for an old one, or a time that is none."""
    if "finding_keys" not in data:
        raise ValueError(
            f"{source} lacks finding_keys, which tell findings apart: an older version of the kit wrote it; "
            "run without it, and keep the report.json of that run"
        )
    rows = data.get("rules", ())
    findings = tuple(map(_parse_finding, data["finding_keys"]))
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


def _parse_finding(entry: Mapping[str, str]) -> KnownFinding:
    key = FindingKey(entry["rule"], entry["input"], entry["seen"])
    return KnownFinding(key, entry["first_seen"], entry["severity"] == "note")


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
