"""When two findings of different runs are the same."""

from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.results.finding_keys import build_keys, group_keys, list_inputs, merge_inputs

CREATE, UPDATE = Step("createContainer"), Step("updateContainer")


def build_case(*steps: Step, **changes: Any) -> Case:
    """Build a case of the tables."""
    return Case(**{"id": "slug/1", "rule": "slug-unique", "layer": "cases", "steps": steps, **changes})


GPUS = ("createContainer", "deployed", "gpu_count")
BY_DK = Step("createContainer", caller="dk-red", headers=(("Cookie", "a"), ("Accept", "b")))


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        (build_case(CREATE), "create in one request"),
        (build_case(CREATE, UPDATE, CREATE), "create after create and update"),
        (build_case(BY_DK), "create as dk with the header Accept, Cookie"),
        (build_case(CREATE, BY_DK), "create after create as dk with the header Accept, Cookie"),
        (build_case(CREATE, layer="race"), "create at the same moment"),
        (build_case(UPDATE, id="property/7"), "update by a generated request"),
        (build_case(CREATE, id="trace/random", value=GPUS), "create with gpu_count by a generated request"),
        (build_case(CREATE, value=GPUS), "create with gpu_count: left out"),
    ],
    ids=["plain", "scenario", "form", "form at the end", "race", "generated", "generated value", "absent"],
)
def test_a_kind_of_input_names_what_the_case_is_about(case: Case, kind: str) -> None:
    """The kind of input names the operation and the part of the request that the case is about."""
    assert list_inputs(case) == (kind,)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (0, "0"),
        (8, "a number of 1 digit"),
        (65536, "a number of 5 digits"),
        (-12, "a negative number of 2 digits"),
        (1.5, "a fraction"),
        (True, "a boolean"),
        (None, "null"),
        ("", "an empty text"),
        ("text", "a text"),
        ("é", "a text beyond ASCII"),
        ({"$text": {"start": "", "fill": "a", "length": 300}}, "a long text"),
        ([], "an empty array"),
        ([1], "an array"),
        ({}, "an object"),
        ({"$text": 1}, "unknown"),
    ],
)
def test_a_value_is_named_by_its_kind(value: Any, kind: str) -> None:
    """No value itself is part of the kind, which other values share."""
    step = Step("createContainer", body={"gpu_count": value})
    assert list_inputs(build_case(step, value=GPUS)) == (f"create with gpu_count: {kind}",)


def test_what_looks_like_a_template_in_recorded_traffic_is_a_value() -> None:
    """A body that is sent as it is has no templates."""
    step = Step("createContainer", body={"gpu_count": {"$text": 5}}, as_is=True)
    assert list_inputs(build_case(step, value=GPUS)) == ("create with gpu_count: an object",)


def test_each_wrong_property_of_a_read_back_is_a_kind() -> None:
    """A read-back that differs in two properties shows two kinds, whatever the requests were."""
    differences = [("gpu_count", "0", "1"), ("display_name", '"a"', '"b"')]
    kinds = ("create, display_name read back", "create, gpu_count read back")
    assert list_inputs(build_case(CREATE), differences) == kinds


@pytest.mark.parametrize(
    "generated", ["update by a generated request", "update with gpu_count by a generated request"]
)
def test_generated_requests_count_where_nothing_else_shows_it(generated: str) -> None:
    """What a generated request shows by chance is left out beside planned ones, and kept alone."""
    planned = "update with gpu_count: 0"
    assert merge_inputs((generated,), (planned,)) == merge_inputs((planned,), (generated,)) == (planned,)
    assert merge_inputs((generated,), ()) == (generated,)


def test_another_property_of_a_generated_request_counts() -> None:
    """A property that no planned request showed stays beside the others."""
    kinds = ("update with display_name: null", "update with gpu_count by a generated request")
    assert merge_inputs(kinds[:1], kinds[1:]) == kinds


def test_a_less_specific_finding_covers_no_other() -> None:
    """A planned finding covers what a generated request shows of it; the other way round it hides nothing."""
    planned, generated = build_keys("r", ("update with gpu_count: 0", "update by a generated request"), "s")
    (other,) = build_keys("r", ("create with gpu_count: 0",), "s")
    assert planned.covers(planned)
    assert planned.covers(generated)
    assert not generated.covers(planned)
    assert not other.covers(generated)


def test_a_reader_gets_one_line_for_a_finding() -> None:
    """The kinds of one rule, operation and reason are one line; those of one property stand together."""
    values = [f"create with gpu_count: {number}" for number in range(6)]
    create = build_keys("r", (*values, "create in one request"), "s")
    update = build_keys("r", ("update, gpu_count read back",), "s")
    assert {str(group): keys for group, keys in group_keys((*create, *update)).items()} == {
        "r: create with gpu_count: 0, 1, 2, 3, 2 more; create in one request: s": create,
        "r: update, gpu_count read back: s": update,
    }


def test_how_often_is_not_part_of_the_key() -> None:
    """Numbers in a reason, such as how often something was seen, make no other key."""
    first, second = (build_keys("updated", ("u",), f"refused {number} of 6 times") for number in (4, 5))
    assert first == second
