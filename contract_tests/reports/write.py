"""All reports of a run, as files in one folder."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from contract_tests.contract.files.report_file import write_each, write_file
from contract_tests.reports.code_hosts.annotations import render_annotations
from contract_tests.reports.code_hosts.comment import render_comment
from contract_tests.reports.code_hosts.formats import FORMAT_FILES
from contract_tests.reports.code_hosts.gitlab import render_gitlab
from contract_tests.reports.code_hosts.places import RulePlaces
from contract_tests.reports.code_hosts.sarif import render_sarif
from contract_tests.reports.content.blocks import plan_reproduction
from contract_tests.reports.har import merge_har, write_har
from contract_tests.reports.html import render_html
from contract_tests.reports.json_report import render_json
from contract_tests.reports.junit import render_junit
from contract_tests.reports.markdown import render_markdown
from contract_tests.results.findings import save_finding
from contract_tests.results.verdict import Report

#: The end of a finding's id, as a pattern of file names.
_DIGEST = "[0-9a-f]" * 6


def write_reports(report: Report, folder: Path, *, resumed: bool = False, replay_options: str = "") -> None:
    """Write every report into ``folder``; docs/reports.md describes the files.

    The traffic of a ``resumed`` run is added to the existing file. ``replay_options`` name the target and the
    callers for the commands that send a finding again. Raise a group of OSErrors that name the files which cannot
    be written; the others are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reproduction = plan_reproduction(report, str(folder), replay_options)
    renderers: Mapping[str, Callable[[], str | bytes]] = {
        "report.json": lambda: render_json(report),
        "junit.xml": lambda: render_junit(report, reproduction),
        "report.md": lambda: render_markdown(report, reproduction),
        "report.html": lambda: render_html(report, reproduction),
    }
    reports = [partial(_render_file, folder / name, render) for name, render in renderers.items()]
    traffic = partial(_write_traffic, report, folder / "traffic.har", resumed=resumed)
    write_each([partial(_write_findings, report, folder / "findings"), *reports, traffic])


def _write_findings(report: Report, folder: Path) -> None:
    """Write a file per finding in place of those of an earlier run; other files of the folder stay."""
    if folder.is_symlink():  # the files behind it are of others
        folder.unlink()
    for pattern in (f"*-{_DIGEST}.json", f"*-{_DIGEST}-*.body"):
        for old in folder.glob(pattern):
            old.unlink()
    write_each(partial(save_finding, finding, folder, report.target) for finding in report.findings)


def _render_file(path: Path, render: Callable[[], str | bytes]) -> None:
    write_file(path, render())


def _write_traffic(report: Report, path: Path, *, resumed: bool) -> None:
    new = path.with_name(f"{path.name}.new") if resumed else path
    write_har(report, new)
    if resumed:
        merge_har((path, new), path)
        new.unlink()


def write_formats(report: Report, folder: Path, formats: Iterable[str], spec: Path | None = None) -> None:
    """Write the reports for code hosts that ``--format`` names; ``spec`` is another contract than the kit's."""
    chosen = set(formats)
    if not chosen:
        return
    places = RulePlaces(spec)
    renderers: Mapping[str, Callable[[], str]] = {
        "sarif": lambda: render_sarif(report, places),
        "gitlab": lambda: render_gitlab(report, places),
        "github": lambda: render_annotations(report, places),
        "comment": lambda: render_comment(report),
    }
    write_each(partial(_render_file, folder / FORMAT_FILES[name], renderers[name]) for name in sorted(chosen))
