"""The JSON report and its published schema."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contract_tests.contract.profile import ChosenOption, Departure
from contract_tests.reports.json_report import render_json
from contract_tests.results.comparison import parse_report
from contract_tests.results.verdict import Report
from tests.support.reports import EARLIER, make_hostile, run_app, summarize_earlier

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/report.schema.json").read_text("utf-8"))


VARIANTS: dict[str, Callable[[Report], Report]] = {
    "faulty": lambda report: report,
    "hostile": make_hostile,
    "gone": lambda report: replace(
        report, findings=(), expired=(), cut_short="the target stopped responding"
    ),
    "nothing": lambda report: replace(report, verdicts=(), findings=(), layers={}, callers=(), traffic=()),
    "baseline": lambda report: report.compare_with(
        summarize_earlier(report, gone=["created"]), is_baseline=True
    ),
    "drift": lambda report: replace(
        report, departures=(Departure("largest-body", 65536, ChosenOption(16384, "why", is_certain=False)),)
    ),
    "strict": lambda _: run_app(strict=True, layers=("cases",)),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.slow
def test_report_fits_its_schema(report: Report, variant: str) -> None:
    """Every kind of report is valid against the published schema."""
    data = json.loads(render_json(VARIANTS[variant](report)))
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(data)] == []


def test_schema_is_a_schema() -> None:
    """The published schema is itself valid JSON Schema 2020-12."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List every object of a report, except those with free names: counts and a case's own bodies."""
    if isinstance(value, list):
        return [place for i, item in enumerate(value[:1]) for place in _places(item, (*path, i))]
    if not isinstance(value, dict) or (path and path[-1] in ("steps", "counts")):
        return []
    return [path, *(p for k, item in value.items() if k != "steps" for p in _places(item, (*path, k)))]


def test_schema_knows_every_field(report: Report) -> None:
    """The schema refuses a missing or additional field in any object of a report."""
    data, validator = json.loads(render_json(report)), Draft202012Validator(SCHEMA)
    loose = []
    for path in _places(data):
        place = data
        for key in path:
            place = place[key]
        place["more"] = 1
        loose += [(*path, "more")] if validator.is_valid(data) else []
        del place["more"]
    assert validator.is_valid(data)
    assert loose == []


def test_known_findings_keep_the_time_when_they_were_first_seen(report: Report) -> None:
    """A finding of the baseline has its time, a new one that of the run; the next run reads both."""
    earlier = summarize_earlier(report, frozenset({"team-scope"}))
    data = json.loads(render_json(report.compare_with(earlier, is_baseline=True)))
    times = {key["rule"]: key["first_seen"] for key in data["finding_keys"]}
    assert {rule: time for rule, time in times.items() if time != EARLIER} == {"team-scope": report.started}
    assert set(earlier.findings) <= set(parse_report(data, Path("report.json")).findings)


def test_json_matches_the_report(report: Report) -> None:
    """The counts, the exit code and the rows of the JSON are those of the report."""
    data = json.loads(render_json(report))
    rows = {row["rule"]: (row["verdict"], row["severity"], row["label"]) for row in data["rules"]}
    assert data["exit_code"] == 1
    conforming = len(report.verdicts) - 7
    assert data["counts"] == {
        "conforms": conforming, "violated": 3, "note": 1, "waived": 1, "inconclusive": 1, "not observed": 1,
    }  # fmt: skip
    assert rows["slug-unique"] == ("violated", "failure", "violated")
    assert rows["gpu-count-range"] == ("violated", "note", "note")
    assert rows["service-desc-type"] == ("waived", "failure", "waived")
    assert rows["slug-immutable"] == ("inconclusive", "", "inconclusive")
    assert rows["not-while-busy"] == ("not observed", "", "not observed")
