"""All reports of a run, as files in one folder."""

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
    callers for the commands that send a finding again.
    """
    reproduction = plan_reproduction(report, ".", replay_options)
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in ("*.json", "*.body"):
        for old in (folder / "findings").glob(pattern):
            old.unlink()  # left by an earlier run
    for finding in report.findings:
        save_finding(finding, folder / "findings", report.target)
    (folder / "report.json").write_text(render_json(report), "utf-8")
    (folder / "junit.xml").write_bytes(render_junit(report, reproduction))
    (folder / "report.md").write_text(render_markdown(report, reproduction), "utf-8")
    (folder / "report.html").write_text(render_html(report, reproduction), "utf-8")
    traffic, new = folder / "traffic.har", folder / "traffic.har.new"
    write_har(report, new)
    if resumed:
        merge_har((traffic, new), new)
    new.replace(traffic)
