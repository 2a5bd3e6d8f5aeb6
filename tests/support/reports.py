"""Reports of real runs, and the same with what a hostile target could make of them."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from contract_tests.cases.callers import Caller, load_callers
from contract_tests.contract.resources import data_file
from contract_tests.execution.factory import open_executor
from contract_tests.results.findings import Finding
from contract_tests.results.verdict import Report
from contract_tests.results.waivers import Waiver
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server.app.factory import create_app

# A terminal would obey these, XML cannot hold them, UTF-8 cannot encode the last, Markdown and HTML would read them.
HOSTILE = (
    "a\x00b\x1b[31mc\x07\r\u202e\ufffe\ud800 | `` ``` *x* </pre><script>alert(1)</script>"
    "<img src=x> & ]]> $TOKEN é 😀 " + "long" * 60
)
OFF = {"slug-unique", "exposed-port-range", "gpu-count-range", "service-desc-type", "team-scope"}


def run_app(app: Callable[..., Any] | None = None, **options: Any) -> Report:
    """Return the report of a run without its slow layer; the app is the mock less a rule of every grade."""
    chosen = {"layers": ("cases", "wire", "lifecycle", "race"), **options}
    player = open_executor(WsgiTarget(app or create_app(without=OFF)))
    return Run(player, RunOptions(**chosen)).execute()


@cache
def build_faulty_report() -> Report:
    """Return a report with every verdict in it: the rules of OFF broken, one waived, one waiver expired."""
    today = datetime.now(UTC).date()
    waivers = {
        "service-desc-type": Waiver("service-desc-type", "known | since *May*", date.max),
        "team-uuid": Waiver("team-uuid", "was fixed", today - timedelta(days=2)),
    }
    return run_app(waivers=waivers)


def make_hostile(report: Report) -> Report:
    """Return the report with everything that a target has a say in replaced by what is hard to show."""
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


def build_echoing_app(pad: int) -> Callable[..., Any]:
    """Return the faulty mock as an app that repeats the caller's secret in header and body, after ``pad`` letters."""
    app = create_app(without=OFF)

    def echo(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        kept: list[Any] = []
        chunks = app(environ, lambda status, headers, *_: kept.extend((status, headers)))
        status, headers = kept
        secret = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        body = b"".join(chunks)
        document = {**(json.loads(body) if body.startswith(b"{") else {}), "you": secret}
        told = "x" * pad + secret
        start(
            status,
            [h for h in headers if h[0].lower() != "content-length"] + [("X-You", f"{secret}; {secret}")],
        )
        return [json.dumps({"id": document.pop("id", None), "told": told, **document}).encode()]

    return echo


def load_fixture_callers() -> tuple[Caller, ...]:
    """Return the callers of the fixtures, whose tokens must be nowhere in a report."""
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
