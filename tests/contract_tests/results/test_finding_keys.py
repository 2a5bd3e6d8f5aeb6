"""When two findings of different runs are the same."""

from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.results.finding_keys import build_keys, list_inputs, merge_inputs

CREATE, UPDATE = Step("createContainer"), Step("updateContainer")


def build_case(*steps: Step, **changes: Any) -> Case:
    """Build a case of the tables."""
    return Case(**{"id": "slug/1", "rule": "slug-unique", "layer": "cases", "steps": steps, **changes})


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        (build_case(CREATE), "create in one request"),
        (build_case(CREATE, value=("createContainer", "deployed", "gpu_count")), "create with gpu_count"),
        (build_case(CREATE, UPDATE, CREATE), "create after create and update"),
        (build_case(CREATE, layer="race"), "create at the same moment"),
        (build_case(UPDATE, id="property/7"), "update by a generated request"),
        (build_case(UPDATE, id="trace/random", value=("u", "d", "gpu_count")), "update with gpu_count"),
    ],
    ids=["plain", "property", "scenario", "race", "generated", "generated, with a reason"],
)
def test_a_kind_of_input_has_no_value(case: Case, kind: str) -> None:
    """The kind of input names the operation and the part of the request that the case is about."""
    assert list_inputs(case) == (kind,)


def test_each_wrong_property_of_a_read_back_is_a_kind() -> None:
    """A read-back that differs in two properties shows two kinds, whatever the requests were."""
    differences = [("gpu_count", "0", "1"), ("display_name", '"a"', '"b"')]
    kinds = ("create, display_name read back", "create, gpu_count read back")
    assert list_inputs(build_case(CREATE), differences) == kinds


def test_generated_requests_count_where_nothing_else_shows_it() -> None:
    """What a generated request shows by chance is left out beside planned ones, and kept alone."""
    generated, planned = "update by a generated request", "update with gpu_count"
    assert merge_inputs((generated,), (planned,)) == merge_inputs((planned,), (generated,)) == (planned,)
    assert merge_inputs((generated,), ()) == (generated,)


def test_how_often_is_not_part_of_the_key() -> None:
    """Numbers in a reason, such as how often something was seen, make no other key."""
    first, second = (build_keys("updated", ("u",), f"refused {number} of 6 times") for number in (4, 5))
    assert first == second
