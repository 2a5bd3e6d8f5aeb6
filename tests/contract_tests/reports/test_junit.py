"""The report as JUnit XML."""

import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from contract_tests.cases.model import LAYERS
from contract_tests.contract.profile import ChosenOption, Departure
from contract_tests.reports.content.common import escape_unprintable
from contract_tests.reports.junit import render_junit
from contract_tests.results.verdict import Report
from mock_server.app.factory import create_app
from tests.support.reports import HOSTILE, make_hostile, run_app, summarize_earlier


@pytest.fixture(scope="module")
def clean() -> Report:
    """Return the report of the unchanged mock."""
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
    "a caller was refused": lambda _, clean: replace(clean, unusable_callers=("jwt-red (401)",)),
    "a caller was refused, and the time was up": lambda _, clean: replace(
        clean, unusable_callers=("jwt-red (401)",), cut_short="stopped after --time 10s as asked"
    ),
    "too little": lambda _, clean: replace(
        clean, verdicts=tuple(replace(row, verdict="inconclusive") for row in clean.verdicts)
    ),
    "interrupted": lambda _, clean: replace(clean, cut_short="interrupted"),
    "all known": lambda report, _: with_baseline(replace(report, expired=())),
    "one new": lambda report, _: with_baseline(replace(report, expired=()), without="team-scope"),
    "drift": lambda _, clean: replace(clean, departures=(DEPARTURE,)),
    "drift that fails": lambda _, clean: replace(clean, departures=(DEPARTURE,), strict=True),
}
DEPARTURE = Departure("id-version", "4", ChosenOption("7", "POST was answered 201"))


def with_baseline(report: Report, without: str = "") -> Report:
    """Return the report beside a baseline that has all its findings but those of a rule."""
    earlier = summarize_earlier(report, frozenset({without}))
    return replace(report, started="2026-11-29T08:00:00+00:00").compare_with(earlier, is_baseline=True)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.slow
def test_junit_fails_exactly_when_the_run_does(report: Report, clean: Report, variant: str) -> None:
    """The file has a failure or an error if and only if the exit code is not 0."""
    judged = VARIANTS[variant](report, clean)
    root = ElementTree.fromstring(render_junit(judged))
    red = len([*root.iter("failure"), *root.iter("error")])
    assert (red > 0) == (judged.exit_code != 0)
    assert int(root.attrib["failures"]) + int(root.attrib["errors"]) == red


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        ("a caller was refused", "not judged: jwt-red (401)"),
        ("a caller was refused, and the time was up", "not judged: jwt-red (401)"),
        ("too little", "not judged: less than 50% of the tried rules: "),
    ],
)
def test_a_run_without_a_verdict_is_an_error(
    report: Report, clean: Report, variant: str, reason: str
) -> None:
    """Exit code 3 is one error with its reason, and no verdict."""
    root = ElementTree.fromstring(render_junit(VARIANTS[variant](report, clean)))
    (error,) = root.iter("error")
    assert error.attrib["message"].startswith(reason)
    assert 'name="verdict" value="NOT JUDGED"' in ElementTree.tostring(root, "unicode")


def test_each_rule_and_layer_has_a_case(report: Report) -> None:
    """Every layer that ran a rule has a case for it, and so has a rule that no layer ran."""
    wanted = {
        (f"contract.{row.rule.grade}", f"{row.rule.id}[{layer}]")
        for row in report.verdicts
        for layer in LAYERS
        if row.layers[layer]
    }
    unplayed = replace(
        report.verdicts[0], layers={}, verdict="not observed", reason="no case of this rule was run"
    )
    cases = _cases(replace(report, verdicts=(unplayed, *report.verdicts[1:])))
    others = {name for name in cases if name[0] not in ("contract.waivers", "contract.run")}
    assert others - wanted == {("contract.documented", "auth-required")}
    skipped = cases["contract.documented", "auth-required"].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "not observed: no case of this rule was run"


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
def test_rules_that_do_not_fail_are_skipped(report: Report, name: tuple[str, str], message: str) -> None:
    """Notes, waived and unobserved rules are skipped with the reason."""
    assert [(part.tag, part.attrib["message"]) for part in _cases(report)[name]] == [("skipped", message)]


def test_known_findings_are_skipped_with_their_age(report: Report) -> None:
    """A layer in which the baseline knows all is skipped; the rest of its rule fails if it has a new finding."""
    known = _cases(with_baseline(report))["contract.documented", "exposed-port-range[cases]"].find("skipped")
    assert known is not None
    age = "known since 2026-11-02, 27 days"
    assert known.attrib["message"] == f"known: accepted a request that breaks this rule; {age}"
    (race, twice) = (f for f in report.findings if f.rule.id == "slug-unique")
    part = replace(report, findings=(race,)).summarize()
    cases = _cases(report.compare_with(replace(part, started="2026-11-02T09:00:00"), is_baseline=True))
    tags = {
        name: [one.tag for one in cases["contract.provider", f"slug-unique[{name}]"]]
        for name in ("race", "lifecycle")
    }
    new = next(layer for layer in ("race", "lifecycle") if layer in twice.layers)
    old = next(layer for layer in ("race", "lifecycle") if layer in race.layers)
    assert tags == {new: ["failure"], old: ["skipped"]}


def test_a_departure_from_the_profile_is_a_case(clean: Report) -> None:
    """Each departure has a case, which is skipped unless it fails the run."""
    (result,) = _cases(replace(clean, departures=(DEPARTURE,)))["contract.profile", "id-version"]
    text = "drift: id-version: the deployment chose 7, its profile says 4: POST was answered 201"
    assert (result.tag, result.attrib["message"]) == ("skipped", text)


def test_failure_shows_received_and_expected(report: Report) -> None:
    """A failed case has the rule's statement, received, expected, and a command to reproduce it."""
    failure = _cases(report)["contract.provider", "slug-unique[race]"].find("failure")
    assert failure is not None
    assert (
        failure.attrib["message"]
        == "create of a deployed service: several concurrent creates got the same slug: "
        "Six creates with the same slug were sent at the same moment: six got 201"
    )
    texts = failure.text or ""
    parts = (
        "A slug is used once",
        "Received: 6 of 6 accepted",
        "Expected: one accepted",
        "What to change: Check and store the slug in one step",
        "What happened: Six creates with the same slug were sent at the same moment: six got 201",
        "curl -i -X POST",
        "contract-tests replay findings/slug-unique-",
    )
    assert [part for part in parts if part not in texts] == []


def test_failure_names_both_operations_and_the_values(report: Report) -> None:
    """A rule that both operations break for one reason has one failure, with the values that showed it."""
    failure = _cases(report)["contract.documented", "exposed-port-range[cases]"].find("failure")
    assert failure is not None
    reason = "accepted a request that breaks this rule"
    value = r"exposed_port -?\d+ → 201 \(create\), 200 \(update\)"
    message = f"create and update: {reason}: {value}"
    assert re.fullmatch(message, failure.attrib["message"])
    lines = (failure.text or "").splitlines()
    assert {"  exposed_port 0 → 201", "  exposed_port 0 → 200", "  exposed_port 65536 → 201"} <= set(lines)


def test_times_of_a_layer_add_up(report: Report) -> None:
    """Each test has a time, and the times of a layer add up to the time that it took."""
    times = {
        name: float(case.attrib["time"])
        for (_, name), case in _cases(report).items()
        if "time" in case.attrib
    }
    for layer, summary in report.layers.items():
        shared = [time for name, time in times.items() if name.endswith(f"[{layer}]")]
        assert min(shared) > 0
        assert sum(shared) == pytest.approx(summary.seconds, rel=0.01)


def test_received_text_is_escaped_for_xml(report: Report) -> None:
    """Control characters and half surrogate pairs, which XML cannot represent, are escaped."""
    failures = [case.find("failure") for case in _cases(make_hostile(report)).values()]
    texts = [failure.text or "" for failure in failures if failure is not None and failure.text]
    assert texts
    assert [text for text in texts if f"Received: {escape_unprintable(HOSTILE)}\n" not in text] == []


def test_properties_describe_the_run(report: Report) -> None:
    """The suite's properties name the target, the seed and the kit's version."""
    root = ElementTree.fromstring(render_junit(report))
    properties = {prop.attrib["name"]: prop.attrib["value"] for prop in root.iter("property")}
    assert {name: properties[name] for name in ("target", "seed", "version", "verdict")} == {
        "target": "http://localhost/api/v1", "seed": "0", "version": "0.1.0", "verdict": "VIOLATED",
    }  # fmt: skip
