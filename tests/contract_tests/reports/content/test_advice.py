"""What a report says to change."""

import re
from dataclasses import replace

import pytest

from contract_tests.reports.content.advice import suggest_change
from contract_tests.results.findings import Finding
from contract_tests.results.judge import SERVER_ERROR
from contract_tests.results.statistics import Rate
from contract_tests.results.verdict import Report


def _find(report: Report, rule: str, layer: str) -> Finding:
    return next(f for f in report.findings if f.rule.id == rule and layer in f.layers)


def _answer(finding: Finding, status: int) -> Finding:
    return replace(
        finding, exchanges=(*finding.exchanges[:-1], replace(finding.exchanges[-1], status=status))
    )


@pytest.mark.parametrize(
    ("rule", "layer", "change"),
    [
        (
            "exposed-port-range",
            "cases",
            "Respond with any 4xx to an update with exposed_port 0, and store nothing.",
        ),
        ("team-scope", "lifecycle", "Respond with any 4xx to such an update, and store nothing."),
        ("slug-unique", "race", "Check and store the slug in one step, for example with a unique index"),
    ],
)
def test_accepted_request_is_to_be_refused(report: Report, rule: str, layer: str, change: str) -> None:
    """The advice names the value to refuse, or how creates at the same moment exclude each other."""
    assert suggest_change(_find(report, rule, layer)).startswith(change)


def test_the_type_of_service_is_named_where_the_stored_state_decides(report: Report) -> None:
    """The advice never says to refuse an external_url on every update."""
    finding = _find(report, "exposed-port-range", "cases")
    rule = replace(finding.rule, id="external-url-on-external-only", stage="state")
    assert suggest_change(replace(finding, rule=rule)).startswith(
        "Respond with any 4xx to an update of a deployed service with exposed_port 0,"
    )


def test_both_operations_are_named(report: Report) -> None:
    """Findings of a create and an update with one cause have one advice, which names both."""
    found = [f for f in report.findings if f.rule.id == "exposed-port-range"]
    assert len(found) == 2
    wanted = r"Respond with any 4xx to (a create or an update|an update or a create) with exposed_port \S+,"
    assert re.match(wanted, suggest_change(found[0], found))
    assert re.match(
        r".* to such (a create or update|an update or create),",
        suggest_change(replace(found[0], examples=()), found),
    )


def test_server_error_is_to_be_handled(report: Report) -> None:
    """The advice for a server error says how the request is to be answered instead, and where the cause is."""
    finding = _answer(_find(report, "exposed-port-range", "cases"), 500)
    assert suggest_change(replace(finding, reason=SERVER_ERROR)) == (
        "Handle this request without a server error: respond with any 4xx to an update with exposed_port 0, "
        "and store nothing. The log of the deployment has the cause."
    )


def test_server_error_that_never_came_back_is_not_about_the_request(report: Report) -> None:
    """The advice for a server error that no repetition showed says to accept or refuse nothing."""
    finding = _answer(_find(report, "exposed-port-range", "cases"), 500)
    assert suggest_change(replace(finding, reason=SERVER_ERROR, rate=Rate(0, 20))) == (
        "Look for the cause in the log of the deployment: the same request got no server error in 20 further tries."
    )


def test_wrong_status_keeps_the_refusal(report: Report) -> None:
    """The advice for a refusal with another status names both statuses."""
    finding = _answer(_find(report, "exposed-port-range", "cases"), 409)
    rule = replace(finding.rule, status=(400,), status_grade="documented")
    assert suggest_change(replace(finding, rule=rule)) == (
        "Keep the refusal, but respond with 400 in place of 409."
    )


def test_readback_names_the_property_to_keep(report: Report) -> None:
    """The advice for a changed value names the property."""
    finding = _find(report, "exposed-port-range", "cases")
    changed = replace(finding, differences=(("gpu_count", "0", "1"),))
    assert suggest_change(changed) == "Store gpu_count as the accepted request says, and show that value."
    kept = replace(changed, rule=replace(finding.rule, id="update-keeps-omitted"))
    assert suggest_change(kept) == "Keep the stored value of gpu_count in an update that does not change it."


@pytest.mark.parametrize("rule", ["service-type-immutable", "slug-immutable"])
def test_immutable_property_is_not_to_be_stored(report: Report, rule: str) -> None:
    """The advice for a type or a slug that changed never says to store what the update names."""
    finding = _find(report, "exposed-port-range", "cases")
    changed = replace(finding, differences=(("service_type", '"external"', '"deployed"'),))
    assert suggest_change(replace(changed, rule=replace(finding.rule, id=rule))) == (
        "Keep the stored value of service_type, also in an update that names another."
    )


@pytest.mark.parametrize("differences", [(), (("id", "one", "another"),)], ids=["reaction", "other-service"])
@pytest.mark.parametrize(
    ("rule", "name"), [("service-type-immutable", "service_type"), ("slug-immutable", "service_slug")]
)
def test_the_later_request_that_shows_a_change_is_not_to_be_answered_otherwise(
    report: Report, rule: str, name: str, differences: tuple[tuple[str, str, str], ...]
) -> None:
    """The advice for a changed type names the type, not the update of the URL that was accepted because of it."""
    finding = _find(report, "exposed-port-range", "cases")
    changed = replace(finding, rule=replace(finding.rule, id=rule), differences=differences)
    assert (
        suggest_change(changed) == f"Keep the stored value of {name}, also in an update that names another."
    )


def test_a_wrong_default_names_the_create_that_leaves_it_out(report: Report) -> None:
    """The advice for a wrong default names the default: the request says nothing of the property."""
    finding = _find(report, "exposed-port-range", "cases")
    rule = replace(finding.rule, id="health-path-default")
    assert suggest_change(
        replace(finding, rule=rule, differences=(("health_path", '"/"', '"/health"'),))
    ) == ("Store the default of health_path where a create leaves it out, and show that value.")
