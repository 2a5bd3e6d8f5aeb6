"""One fault does not hide another: a target that wrongly refuses some values is judged by the others."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.quality.faults import FAULTS
from tests.support.gate.gate import describe_findings, judge_app, violated_rules
from tests.support.gate.planting import (
    Fault,
    Write,
    add_interceptor,
    refuses,
    remembering,
    rewrites,
)
from tests.support.sampling import keep_first

pytestmark = pytest.mark.slow

_TEN_REFUSED = refuses("", "replica_count", lambda value: value == 10)
_SAMPLE = [fault for number, fault in enumerate(FAULTS) if number % 96 == 0]


@pytest.mark.parametrize("fault", keep_first(2, _SAMPLE), ids=lambda fault: fault.name)
def test_a_fault_is_found_beside_a_strict_one(fault: Fault) -> None:
    """A target with the fault that also refuses ten replicas is told both."""
    report = judge_app(add_interceptor(fault.app(), _TEN_REFUSED))
    assert {*fault.breaks, "replica-count-range"} <= violated_rules(report), describe_findings(report)


def _port_reset(write: Write) -> Mapping[str, Any]:
    reset = write.before and "docker_image" in write.sent and "exposed_port" not in write.sent
    return {"exposed_port": 8080} if reset else {}


def _labels_sorted_and_port_reset(write: Write) -> Mapping[str, Any]:
    labels = sorted(write.after.values.get("required_labels") or ())
    return {"required_labels": labels, **_port_reset(write)}


def test_what_an_update_changes_is_found_beside_what_every_write_stores_wrongly() -> None:
    """Sorted labels show in every read-back; an update of the image resets the port, which is another fault."""
    fault = remembering("two", "created-stored", rewrites("", _labels_sorted_and_port_reset))
    report = judge_app(fault.app(), layers=("lifecycle",))
    assert violated_rules(report) == {"created-stored", "update-keeps-omitted"}, describe_findings(report)


def test_one_rule_is_tried_by_the_cases_that_judge_it_among_others() -> None:
    """A run of ``update-keeps-omitted`` alone finds a port that an update resets, as the whole run does."""
    fault = remembering("port", "update-keeps-omitted", rewrites("update", _port_reset))
    report = judge_app(fault.app(), layers=("lifecycle",), rules=frozenset(fault.breaks))
    assert violated_rules(report) == fault.breaks, describe_findings(report)


def test_a_finding_outside_the_selected_rules_counts() -> None:
    """A case of a selected rule that shows that another is broken is a verdict on that rule, and no success."""
    fault = remembering("two", "created-stored", rewrites("", _labels_sorted_and_port_reset))
    report = judge_app(fault.app(), layers=("lifecycle",), rules=frozenset({"update-keeps-omitted"}))
    rows = {row.rule.id for row in report.verdicts}
    assert rows == {"created-stored", "update-keeps-omitted"}, describe_findings(report)
