"""All reports of a run, as files in one folder."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from contract_tests.reports.blocks import plan_reproduction
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
    reproduction = plan_reproduction(report, ".", replay_options)
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
