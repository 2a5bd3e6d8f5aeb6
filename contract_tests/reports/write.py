"""All reports of a run, as files in one folder."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

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


def write_reports(report: Report, folder: Path, *, resumed: bool = False, replay_options: str = "") -> None:
    """Write every report into ``folder``; docs/reports.md describes the files.

    The traffic of a ``resumed`` run is added to the existing file. ``replay_options`` name the target and the
    callers for the commands that send a finding again. Raise an OSError that names the file which cannot be written.
    """
    reproduction = plan_reproduction(report, str(folder), replay_options)
    with name_file(folder / "findings"):
        folder.mkdir(parents=True, exist_ok=True)
        for pattern in ("*.json", "*.body"):
            for old in (folder / "findings").glob(pattern):
                old.unlink()  # left by an earlier run
        for finding in report.findings:
            save_finding(finding, folder / "findings", report.target)
    renderers: Mapping[str, Callable[[], bytes]] = {
        "report.json": lambda: render_json(report).encode(),
        "junit.xml": lambda: render_junit(report, reproduction),
        "report.md": lambda: render_markdown(report, reproduction).encode(),
        "report.html": lambda: render_html(report, reproduction).encode(),
    }
    for name, render in renderers.items():
        with name_file(folder / name):
            (folder / name).write_bytes(render())
    traffic, new = folder / "traffic.har", folder / "traffic.har.new"
    with name_file(traffic):
        write_har(report, new)
        if resumed:
            merge_har((traffic, new), new)
        new.replace(traffic)


@contextmanager
def name_file(path: Path) -> Iterator[None]:
    """Name a file in an OSError that names none, as that of a full disk."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


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
    for name in sorted(chosen):
        file = folder / FORMAT_FILES[name]
        with name_file(file):
            file.write_text(renderers[name](), "utf-8")
