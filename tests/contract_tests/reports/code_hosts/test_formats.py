"""The reports that code hosts show: SARIF, annotations, code quality, and the comment of a pull request."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

from contract_tests.contract.profile import ChosenOption, Departure
from contract_tests.contract.rules import load_catalogue
from contract_tests.reports.code_hosts.annotations import MAX_ANNOTATIONS, render_annotations
from contract_tests.reports.code_hosts.comment import MAX_COMMENT, build_marker, render_comment
from contract_tests.reports.code_hosts.formats import FORMAT_FILES
from contract_tests.reports.code_hosts.gitlab import render_gitlab
from contract_tests.reports.code_hosts.places import Place, RulePlaces
from contract_tests.reports.code_hosts.sarif import FINGERPRINT, render_sarif
from contract_tests.reports.content.common import group_by_severity
from contract_tests.reports.content.headline import format_last_line
from contract_tests.reports.html import render_html
from contract_tests.reports.markdown import render_markdown
from contract_tests.reports.write import write_formats
from contract_tests.results.verdict import Report
from tests.support.fixture_player import ROOT
from tests.support.reports import load_fixture_callers, make_hostile

SUBSET = json.loads(Path(__file__).with_name("sarif-subset.schema.json").read_text("utf-8"))
PLACES = RulePlaces()


def sarif_run(report: Report) -> dict[str, Any]:
    """Return the only run of a report as SARIF."""
    run: dict[str, Any] = json.loads(render_sarif(report, PLACES))["runs"][0]
    return run


@pytest.mark.parametrize("rule", load_catalogue())
def test_the_line_of_a_rule_names_it(rule: str) -> None:
    """The line that a report points to holds the id of the rule, or a keyword that ``x-rules`` puts down to it."""
    place = PLACES.find(rule)
    lines = (ROOT / place.path).read_text("utf-8").splitlines()
    line, object_of_keyword = lines[place.line - 1], "\n".join(lines[place.line - 1 : place.line + 200])
    assert re.search(rf"(?<![\w-]){rule}(?![\w-])", line if "rules" in place.path else object_of_keyword)


@pytest.mark.slow
def test_all_formats_point_to_the_line_that_people_read(report: Report) -> None:
    """SARIF, GitLab and the annotations name the file and the line of the terminal and the page."""
    named = {finding.id: finding.line for finding in report.findings}
    assert all(re.fullmatch(r"spec/(openapi|rules)\.yaml:\d+", line) for line in named.values())
    for result in sarif_run(report)["results"]:
        place = result["locations"][0]["physicalLocation"]
        line = f"{place['artifactLocation']['uri']}:{place['region']['startLine']}"
        assert line == named[result["partialFingerprints"][FINGERPRINT]]
    for issue in json.loads(render_gitlab(report, PLACES)):
        line = f"{issue['location']['path']}:{issue['location']['lines']['begin']}"
        assert line == named[issue["fingerprint"]]
    shown = re.findall(r"file=([\w/.]+),line=(\d+)", render_annotations(report, PLACES))
    assert {":".join(one) for one in shown} <= {*named.values()}


def test_a_rule_that_a_keyword_enforces_is_in_the_contract() -> None:
    """Rules of shapes point to openapi.yaml, rules that no schema can express to rules.yaml."""
    assert PLACES.find("exposed-port-range").path == "spec/openapi.yaml"
    assert PLACES.find("slug-unique").path == "spec/rules.yaml"
    assert PLACES.find("no-such-rule") == Place("spec/openapi.yaml", 1)


def test_another_contract_has_its_own_lines(tmp_path: Path) -> None:
    """With --spec the places are in that file, and in the rules.yaml beside it, if there is one."""
    text = (ROOT / "spec/openapi.yaml").read_text("utf-8")
    own = tmp_path / "own.yaml"
    own.write_text(f"# one more line\n{text}", "utf-8")
    known = PLACES.find("exposed-port-range")
    assert RulePlaces(own).find("exposed-port-range") == Place(own.as_posix(), known.line + 1)
    assert RulePlaces(own).find("slug-unique") == PLACES.find("slug-unique")


@pytest.mark.parametrize("hostile", [False, True], ids=["plain", "hostile"])
@pytest.mark.slow
def test_sarif_follows_its_schema(report: Report, hostile: bool) -> None:
    """The document has what SARIF 2.1.0 requires and nothing that it does not know, whatever a target sends."""
    text = render_sarif(make_hostile(report) if hostile else report, PLACES)
    assert [error.message for error in Draft202012Validator(SUBSET).iter_errors(json.loads(text))] == []
    assert "\\u001b" not in text


def test_sarif_has_each_finding_with_its_id_as_fingerprint(report: Report) -> None:
    """Violations are errors, choices of the deployment notes; the waived ones are suppressed with the reason."""
    results = sarif_run(report)["results"]
    assert {result["partialFingerprints"][FINGERPRINT] for result in results} == {
        f.id for f in report.findings
    }
    levels = {result["ruleId"]: result["level"] for result in results}
    assert (levels["slug-unique"], levels["gpu-count-range"]) == ("error", "note")
    suppressed = {result["ruleId"]: result["suppressions"] for result in results if "suppressions" in result}
    assert list(suppressed) == ["service-desc-type"]
    assert suppressed["service-desc-type"][0]["justification"].startswith("known | since *May* (until ")


def test_sarif_refers_to_the_rule_of_each_finding(report: Report) -> None:
    """The index of a result leads to the rule with its id."""
    run = sarif_run(report)
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert run["invocations"][0]["exitCode"] == 1


def test_gitlab_gets_an_issue_per_finding_that_is_not_waived(report: Report) -> None:
    """Each issue has what GitLab reads, with a fingerprint of its own; documented violations are critical."""
    issues = json.loads(render_gitlab(report, PLACES))
    groups = group_by_severity(report)
    assert [issue["fingerprint"] for issue in issues] == [f.id for f in (*groups["failure"], *groups["note"])]
    assert "service-desc-type" not in {issue["check_name"] for issue in issues}
    port = next(issue for issue in issues if issue["check_name"] == "exposed-port-range")
    assert (port["severity"], port["location"]["path"]) == ("critical", "spec/openapi.yaml")
    assert {issue["severity"] for issue in issues} == {"critical", "major", "info"}
    assert all(type(issue["location"]["lines"]["begin"]) is int for issue in issues)


def many_causes(report: Report, number: int) -> Report:
    """Return the report with many different violations of a provider rule, and one of a documented rule last."""
    provider = next(f for f in report.findings if f.rule.grade == "provider")
    documented = next(f for f in report.findings if f.rule.id == "exposed-port-range")
    findings = (
        *(replace(provider, id=f"f{n}", reason=f"{provider.reason} {n}") for n in range(number - 1)),
        documented,
    )
    return replace(report, findings=findings)


def test_annotations_are_capped_with_documented_violations_first(report: Report) -> None:
    """At most ten errors are printed, the documented one first; the last one counts the rest."""
    lines = render_annotations(many_causes(report, 30), PLACES).splitlines()
    errors = [line for line in lines if line.startswith("::error ")]
    assert len(errors) == MAX_ANNOTATIONS == 10
    place = PLACES.find("exposed-port-range")
    assert errors[0].startswith(
        f"::error file=spec/openapi.yaml,line={place.line},title=exposed-port-range::"
    )
    assert errors[-1].endswith("::21 more kinds of violations: see the summary, or report.html")


def test_few_annotations_leave_nothing_out(report: Report) -> None:
    """Each cause that fails the run has an error, and the expired waiver a warning; waived rules have none."""
    text = render_annotations(report, PLACES)
    assert text.count("::error ") == len({f.cause for f in group_by_severity(report)["failure"]})
    assert text.count("::warning title=contract::the waiver of team-uuid expired on ") == 1
    assert "service-desc-type" not in text


def test_a_target_cannot_write_annotations_of_its_own(report: Report) -> None:
    """Line breaks and control characters of a target are escaped, so that each line is one of ours."""
    hostile = make_hostile(replace(report, cut_short="x"))
    hostile = replace(hostile, cut_short="a\n::error::injected\r::set-output name=a::b%0A")
    lines = render_annotations(hostile, PLACES).splitlines()
    assert all(re.match(r"::(error|warning) [a-z]+=", line) for line in lines)
    assert any(r"a%0A:\x3aerror::injected" in line for line in lines)


def test_a_departure_that_fails_a_strict_run_is_the_verdict(report: Report) -> None:
    """Where only a departure fails, each report says so: no rule is violated."""
    rows = tuple(replace(row, verdict="conforms", severity="") for row in report.verdicts)
    departure = Departure("id-version", "4", ChosenOption("7", "POST was answered 201"))
    strict = replace(report, verdicts=rows, findings=(), expired=(), strict=True, departures=(departure,))
    verdict = "DEPARTS FROM ITS PROFILE in 1 choice"
    assert format_last_line(strict).startswith(f"{verdict}: 83 conforms")
    for text in (render_comment(strict), render_markdown(strict), render_html(strict).upper()):
        assert verdict in text or verdict.upper() in text
    place = PLACES.find_choice("id-version")
    assert "id: id-version" in (ROOT / place.path).read_text("utf-8").splitlines()[place.line - 1]
    line = render_annotations(strict, PLACES)
    assert line.startswith(
        f"::error file=spec/choices.yaml,line={place.line},title=contract::drift: id-version:"
    )
    (issue,) = json.loads(render_gitlab(strict, PLACES))
    (result,) = sarif_run(strict)["results"]
    assert (issue["check_name"], result["ruleId"], result["level"]) == ("id-version", "id-version", "error")
    assert Draft202012Validator(SUBSET).is_valid(json.loads(render_sarif(strict, PLACES)))


def test_the_comment_begins_with_a_marker_of_its_target(report: Report) -> None:
    """Two runs on one target have the same first line, which no reader sees; another target has another one."""
    first = render_comment(report).splitlines()[0]
    assert first == build_marker(report.target)
    assert re.fullmatch(r"<!-- contract-tests [0-9a-f]{12} -->", first)
    assert render_comment(replace(report, findings=(), target="http://other")).splitlines()[0] != first


def test_the_comment_lists_the_violations(report: Report) -> None:
    """The comment has the outcome and a line per cause, and no line of a choice or a waived rule."""
    text = render_comment(report)
    assert "### ❌ Contract: VIOLATED in 3 of 83 rules" in text
    blocks = {f.cause for f in group_by_severity(report)["failure"]}
    assert len(re.findall(r"^- \*\*", text, re.MULTILINE)) == len(blocks)
    assert "gpu-count-range" not in text


def test_the_comment_is_short_and_holds_no_markup_of_a_target(report: Report) -> None:
    """A hostile report with many findings fits into a comment, and brings in no element of its own."""
    hostile = make_hostile(report)
    text = render_comment(replace(many_causes(hostile, 3000), verdicts=report.verdicts))
    assert len(text) <= MAX_COMMENT + 1
    kinds = {token.type for token in MarkdownIt("commonmark").parse(text.partition("\n")[2])}
    assert kinds & {"html_block", "fence", "table_open"} == set()


@pytest.mark.parametrize("name", FORMAT_FILES)
def test_a_format_is_a_file_of_the_report_folder(report: Report, name: str, tmp_path: Path) -> None:
    """Only the chosen format is written, under its own name, and holds no token."""
    write_formats(report, tmp_path, [name])
    (file,) = tmp_path.iterdir()
    assert file.name == FORMAT_FILES[name]
    assert not any(caller.token in file.read_text("utf-8") for caller in load_fixture_callers())
