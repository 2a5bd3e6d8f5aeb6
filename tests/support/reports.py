"""Reports of real runs, and copies with everything that a hostile target could put into them."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from contract_tests.cases.callers import Caller, load_callers
from contract_tests.contract.resources import data_file
from contract_tests.contract.waivers import Waiver
from contract_tests.execution.factory import open_executor
from contract_tests.results.comparison import KnownFinding, ReportSummary
from contract_tests.results.finding_keys import FindingKey
from contract_tests.results.findings import Finding
from contract_tests.results.judge import SERVER_ERROR
from contract_tests.results.statistics import Rate
from contract_tests.results.verdict import Report
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server.app.factory import create_app

# Terminal control, characters that XML or UTF-8 cannot represent, Markdown and HTML markup.
HOSTILE = (
    "a\x00b\x1b[31mc\x07\r\u202e\ufffe\ud800 | `` ``` *x* </pre><script>alert(1)</script>"
    "<img src=x> & ]]> $TOKEN é 😀 " + "long" * 60
)
#: The start of an earlier run.
EARLIER = "2026-11-02T09:00:00+00:00"
OFF = {"slug-unique", "exposed-port-range", "gpu-count-range", "service-desc-type", "team-scope"}


def run_app(app: Callable[..., Any] | None = None, **options: Any) -> Report:
    """Run the gate's layers and return the report; by default the mock without one rule of every grade."""
    chosen = {"layers": ("cases", "wire", "lifecycle", "race"), **options}
    executor = open_executor(WsgiTarget(app or create_app(disabled_rules=OFF)))
    return Run(executor, RunOptions(**chosen)).execute()


@cache
def build_faulty_report() -> Report:
    """Return a report with every verdict: the rules of OFF violated, one of them waived, one waiver expired."""
    today = datetime.now(UTC).date()
    waivers = {
        "service-desc-type": Waiver("service-desc-type", "known | since *May*", date.max),
        "team-uuid": Waiver("team-uuid", "was fixed", today - timedelta(days=2)),
    }
    return run_app(waivers=waivers)


def summarize_earlier(
    report: Report, without: frozenset[str] = frozenset(), gone: Iterable[str] = (), **changes: Any
) -> ReportSummary:
    """Return what an earlier report says: the findings of this one but those of some rules, and gone ones."""
    known = [one for one in report.summarize().findings if one.key.rule not in without]
    keys = [FindingKey(rule, "create in one request", "was wrong") for rule in gone]
    findings = (*known, *(KnownFinding(key, EARLIER) for key in keys))
    summary = ReportSummary("old", EARLIER, tuple(replace(one, first_seen=EARLIER) for one in findings))
    return replace(summary, **changes)


def make_hostile(report: Report) -> Report:
    """Return the report with hostile text in everything that a target controls."""
    findings = tuple(_make_finding_hostile(finding) for finding in report.findings)
    rows = tuple(replace(row, reason=HOSTILE if row.reason else "") for row in report.verdicts)
    return replace(
        report,
        findings=findings,
        verdicts=rows,
        notes=(HOSTILE,),
        cut_short=HOSTILE,
        target=f"http://x/{HOSTILE}",
    )


def make_crashed(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the failures among the findings as if the target had crashed in the same way for each."""
    failures = [finding for finding in findings if finding.severity == "failure"]
    return tuple(
        replace(finding, reason=SERVER_ERROR, received=f'500 Internal Server Error, {{"error": {number}}}')
        for number, finding in enumerate(failures)
    )


def make_intermittent(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings as if each had shown in some of its tries only."""
    return tuple(replace(finding, rate=Rate(7, 20)) for finding in findings)


def build_echoing_app(pad: int) -> Callable[..., Any]:
    """Return the faulty mock as an app that repeats the caller's secret in header and body, after ``pad`` letters."""
    app = create_app(disabled_rules=OFF)

    def echo(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        kept: list[Any] = []
        chunks = app(environ, lambda status, headers, *_: kept.extend((status, headers)))
        status, headers = kept
        secret = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        body = b"".join(chunks)
        document = {**(json.loads(body) if body.startswith(b"{") else {}), "you": secret}
        echo_text = "x" * pad + secret
        start(
            status,
            [h for h in headers if h[0].lower() != "content-length"] + [("X-You", f"{secret}; {secret}")],
        )
        return [json.dumps({"id": document.pop("id", None), "told": echo_text, **document}).encode()]

    return echo


def load_fixture_callers() -> tuple[Caller, ...]:
    """Return the fixtures' callers, whose tokens must be in no report."""
    return tuple(load_callers(data_file("fixtures/callers.yaml")))


def _make_finding_hostile(finding: Finding) -> Finding:
    exchanges = tuple(
        replace(
            e,
            body=HOSTILE,
            response_body=HOSTILE * 20_000,
            response_headers=(("X-Odd", HOSTILE),),
            status=0,
            reason=HOSTILE,
        )
        for e in finding.exchanges
    )
    return replace(finding, reason=HOSTILE, received=HOSTILE, expected=HOSTILE, exchanges=exchanges)
