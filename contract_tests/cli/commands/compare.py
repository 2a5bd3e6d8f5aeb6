"""The ``contract-tests compare`` command."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from contract_tests.cli.common.errors import report_usage_errors
from contract_tests.cli.common.output import end_with_output, format_os_error
from contract_tests.cli.configuration.command import ConfiguredCommand
from contract_tests.contract.files.file_shapes import check_shape, find_kind, read_document
from contract_tests.contract.files.report_file import open_at_once, write_named_file
from contract_tests.contract.profile import Profile, find_departures, parse_profile
from contract_tests.reports.content.common import escape_console
from contract_tests.results.comparison import (
    REPORT_FILE,
    ReportSummary,
    compare_reports,
    format_age,
    parse_report,
)

_STYLES: Mapping[str, dict[str, Any]] = {
    "new": {"fg": "red", "bold": True},
    "fixed": {"fg": "green"},
    "still broken": {"fg": "yellow"},
    "chosen otherwise": {"fg": "yellow"},
    "no longer judged": {"dim": True},
    "judged now": {"dim": True},
}
#: What may explain a difference of two reports.
_CIRCUMSTANCES = {
    "target": "the targets",
    "contract": "the contracts",
    "kit": "the versions of the kit",
    "callers": "the callers",
    "layers": "the layers",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """How two files differ: the lines of each group, remarks about the files, and the exit code."""

    heading: str
    remarks: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    document: Mapping[str, Any]
    exit_code: int

    @property
    def summary(self) -> str:
        """How many lines each group has, in one line."""
        counts = ", ".join(f"{len(lines)} {name}" for name, lines in self.groups.items() if lines)
        return counts or "no difference"


@click.command(cls=ConfiguredCommand)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Also write the comparison as JSON.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print only the summary line.")
def compare(old: Path, new: Path, *, output: Path | None, quiet: bool) -> NoReturn:
    """Compare two reports, or two profiles.

    Tells what is new, fixed, still broken, chosen otherwise, or no longer judged.

    A report is a report.json or its folder; a profile is a file of contract-tests calibrate.

    Exit codes: 0 nothing is new, 1 a finding is new, or an option of a profile differs, 2 wrong usage.
    """
    with report_usage_errors():
        difference = _compare_files(_load_file(old), _load_file(new))
        if output:
            _write_json(difference, output)
    end_with_output(partial(_show, difference, quiet=quiet), difference.exit_code)


def _load_file(path: Path) -> ReportSummary | Profile:
    """Return the report or the profile in a file; raise ValueError with one line for anything else."""
    file = path / REPORT_FILE if path.is_dir() else path
    try:
        document = read_document(file)
    except OSError as error:
        raise ValueError(f"{format_os_error(error, str(file))}; name a report.json or a profile") from None
    if find_kind(document) == "profile":
        return parse_profile(document, path)
    try:
        check_shape(document, "report", file)
    except ValueError as error:
        raise ValueError(f"{error}; name two reports, or two profiles") from None
    return parse_report(document, path)


def _compare_files(old: ReportSummary | Profile, new: ReportSummary | Profile) -> Difference:
    if isinstance(old, ReportSummary) and isinstance(new, ReportSummary):
        return compare_summaries(old, new)
    if isinstance(old, Profile) and isinstance(new, Profile):
        return compare_profiles(old, new)
    report, profile = (old, new) if isinstance(old, ReportSummary) else (new, old)
    raise ValueError(f"{report.name} is a report, and {profile.name} a profile; name two of a kind")


def compare_summaries(old: ReportSummary, new: ReportSummary) -> Difference:
    """Return the difference of two reports."""
    comparison = compare_reports(old, new)
    lines = {name: [str(group) for group in groups] for name, groups in comparison.groups.items()}
    lines["still broken"] = [
        f"{group}; {format_age(min(comparison.first_seen[key] for key in keys), new.started)}"
        for group, keys in comparison.groups["still broken"].items()
    ]
    with_finding = {key.rule for key in comparison.unjudged}
    lines["no longer judged"] += [
        f"{rule}: {new.reasons.get(rule) or 'no case of this rule was run'}"
        for rule in sorted(old.judged - new.judged - with_finding)
    ]
    document = {name: [asdict(key) for key in keys] for name, keys in comparison.keys.items()}
    return Difference(
        f"{old.name} of {_format_time(old.started)}, then {new.name} of {_format_time(new.started)}",
        tuple(_list_remarks(old, new)),
        {name: tuple(texts) for name, texts in lines.items()},
        {
            **{name.replace(" ", "_"): keys for name, keys in document.items()},
            "rules_no_longer_judged": sorted(old.judged - new.judged),
        },
        1 if comparison.new else 0,
    )


def _list_remarks(old: ReportSummary, new: ReportSummary) -> Iterable[str]:
    """Yield what is not the same in two runs, so that their findings may differ for this reason."""
    for name, what in _CIRCUMSTANCES.items():
        before, now = getattr(old, name), getattr(new, name)
        if before and now and before != now:
            texts = (value if isinstance(value, str) else ", ".join(value) for value in (before, now))
            yield f"{what} differ: {', then '.join(texts)}"


def compare_profiles(old: Profile, new: Profile) -> Difference:
    """Return the difference of two profiles."""
    departures = find_departures(old, new)
    gone = [name for name in old.options if name not in new.options]
    added = [name for name in new.options if name not in old.options]
    return Difference(
        f"{old.name}, then {new.name}",
        (),
        {
            "chosen otherwise": tuple(map(str, departures)),
            "no longer judged": tuple(f"{name}: {new.not_seen.get(name) or 'not listed'}" for name in gone),
            "judged now": tuple(f"{name}: {new.options[name].option}" for name in added),
        },
        {
            "chosen_otherwise": [
                {"choice": one.choice, "old": one.expected, "new": one.seen.option} for one in departures
            ],
            "no_longer_judged": gone,
            "judged_now": added,
        },
        1 if departures else 0,
    )


def _format_time(text: str) -> str:
    return text.replace("T", " ").removesuffix("+00:00")


def _write_json(difference: Difference, output: Path) -> None:
    document = {
        "compared": difference.heading,
        "remarks": list(difference.remarks),
        "exit_code": difference.exit_code,
        **difference.document,
    }
    try:
        open_at_once(output).close()  # waits for no reader of a pipe
        write_named_file(output, json.dumps(document, indent=2) + "\n")
    except OSError as error:
        raise ValueError(
            f"-o: {format_os_error(error, str(output))}; name a file that can be written"
        ) from None


def _show(difference: Difference, *, quiet: bool) -> None:
    if not quiet:
        click.echo(_escape_line(difference.heading))
        for remark in difference.remarks:
            click.echo(_escape_line(f"note: {remark}"))
        for name, lines in difference.groups.items():
            label = click.style(name.ljust(16), **_STYLES[name])
            for line in _fold(lines) if name == "no longer judged" else lines:
                click.echo(f"{label}  {_escape_line(line)}")
    click.echo(difference.summary)


def _fold(lines: Iterable[str]) -> Iterable[str]:
    """Yield one line for all names with the same reason."""
    names: dict[str, list[str]] = {}
    for line in lines:
        name, _, reason = line.partition(": ")
        names.setdefault(reason, []).append(name)
    return (f"{', '.join(several)}: {reason}" for reason, several in names.items())


def _escape_line(text: str) -> str:
    """Return a text that a target or a file may have written as one line."""
    return " ".join(escape_console(text).split())
