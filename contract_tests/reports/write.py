"""All reports of a run, as files in one folder."""

from pathlib import Path

from contract_tests.reports.har import merge_har, write_har
from contract_tests.reports.html import html_page
from contract_tests.reports.json_report import json_report
from contract_tests.reports.junit import junit_xml
from contract_tests.reports.markdown import markdown_summary
from contract_tests.results.findings import save
from contract_tests.results.verdict import Report


def write_reports(report: Report, folder: Path, *, resumed: bool = False) -> None:
    """Write every report into ``folder``; docs/reports.md says what each file is for.

    The traffic of a ``resumed`` run is added to what is there of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in (folder / "findings").glob("*.json"):
        old.unlink()  # of an earlier run
    for finding in report.findings:
        save(finding, folder / "findings", report.target)
    (folder / "report.json").write_text(json_report(report), "utf-8")
    (folder / "junit.xml").write_bytes(junit_xml(report))
    (folder / "report.md").write_text(markdown_summary(report), "utf-8")
    (folder / "report.html").write_text(html_page(report), "utf-8")
    traffic, new = folder / "traffic.har", folder / "traffic.har.new"
    write_har(report, new)
    if resumed:
        merge_har((traffic, new), new)
    new.replace(traffic)
