"""The report as JUnit XML."""

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from contract_tests.cases.model import LAYERS
from contract_tests.reports.common import escape_unprintable
from contract_tests.reports.junit import render_junit
from contract_tests.results.verdict import Report
from mock_server.app.factory import create_app
from tests.support.reports import HOSTILE, build_faulty_report, make_hostile, run_app


@pytest.fixture(scope="module")
def report() -> Report:
    """A report with every verdict in it."""
    return build_faulty_report()


@pytest.fixture(scope="module")
def clean() -> Report:
    """The report of the mock as it is."""
    return run_app(create_app(), layers=("cases", "wire"))


def _cases(report: Report) -> dict[tuple[str, str], ElementTree.Element]:
    root = ElementTree.fromstring(render_junit(report))
    return {(case.attrib["classname"], case.attrib["name"]): case for case in root.iter("testcase")}


VARIANTS: dict[str, Callable[[Report, Report], Report]] = {
    "faulty": lambda report, _: report,
    "hostile": lambda report, _: make_hostile(report),
    "clean": lambda _, clean: clean,
    "only a waiver expired": lambda report, clean: replace(clean, expired=report.expired),
    "the target went away": lambda _, clean: replace(
        clean, cut_short="the target stopped responding: refused"
    ),
    "interrupted": lambda _, clean: replace(clean, cut_short="interrupted"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_junit_is_red_exactly_where_the_run_is(report: Report, clean: Report, variant: str) -> None:
    """There is a failure or an error in the file if and only if the exit code is not 0."""
    told = VARIANTS[variant](report, clean)
    root = ElementTree.fromstring(render_junit(told))
    red = len([*root.iter("failure"), *root.iter("error")])
    assert (red > 0) == (told.exit_code != 0)
    assert int(root.attrib["failures"]) + int(root.attrib["errors"]) == red


def test_each_rule_and_layer_has_a_case(report: Report) -> None:
    """Every layer that played a rule has a case for it, and a rule that none played has one all the same."""
    wanted = {
        (f"contract.{row.rule.grade}", f"{row.rule.id}[{layer}]")
        for row in report.verdicts
        for layer in LAYERS
        if row.layers[layer]
    }
    unplayed = replace(
        report.verdicts[0], layers={}, verdict="not observed", reason="no case of it was played"
    )
    cases = _cases(replace(report, verdicts=(unplayed, *report.verdicts[1:])))
    others = {name for name in cases if name[0] not in ("contract.waivers", "contract.run")}
    assert others - wanted == {("contract.documented", "auth-required")}
    skipped = cases["contract.documented", "auth-required"].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "not observed: no case of it was played"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (("contract.assumed", "gpu-count-range[cases]"), "note: accepted a request that breaks this rule"),
        (
            ("contract.documented", "service-desc-type[cases]"),
            "waived: known | since *May* (until 9999-12-31)",
        ),
        (
            ("contract.provider", "not-while-busy[lifecycle]"),
            "not observed: needs --control-hook to set a service's status",
        ),
    ],
    ids=["note", "waived", "not observed"],
)
def test_what_is_not_held_against_the_target_is_skipped(
    report: Report, name: tuple[str, str], message: str
) -> None:
    """Notes, waived and unobserved rules are skipped with the reason, never failed and never green."""
    assert [(part.tag, part.attrib["message"]) for part in _cases(report)[name]] == [("skipped", message)]


def test_failure_says_what_was_received_and_expected(report: Report) -> None:
    """A failed case holds the contract's sentence, what was received and expected, and a command to send it again."""
    failure = _cases(report)["contract.provider", "slug-unique[race]"].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "createContainer: several concurrent creates got the same slug"
    told = failure.text or ""
    parts = (
        "A slug is used once",
        "Received: 6 of 6 accepted",
        "Expected: one accepted",
        "curl -i -X POST",
        "replay",
    )
    assert [part for part in parts if part not in told] == []


def test_whatever_was_received_is_in_the_file(report: Report) -> None:
    """Control characters and half surrogate pairs, which XML cannot hold, are there as escapes."""
    failures = [case.find("failure") for case in _cases(make_hostile(report)).values()]
    told = [failure.text or "" for failure in failures if failure is not None and failure.text]
    assert told
    assert [text for text in told if f"Received: {escape_unprintable(HOSTILE)}\n" not in text] == []


def test_properties_tell_what_was_judged(report: Report) -> None:
    """The suite's properties name the target, the seed and the kit's version."""
    root = ElementTree.fromstring(render_junit(report))
    told = {prop.attrib["name"]: prop.attrib["value"] for prop in root.iter("property")}
    assert {name: told[name] for name in ("target", "seed", "version", "verdict")} == {
        "target": "http://localhost/api/v1", "seed": "0", "version": "0.1.0", "verdict": "VIOLATED",
    }  # fmt: skip
