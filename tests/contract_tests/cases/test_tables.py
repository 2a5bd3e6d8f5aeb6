"""The cases of the fixture tables, as a deployment receives them."""

import json
from typing import Any

import pytest

from contract_tests.cases.model import Case
from contract_tests.cases.tables import load_bodies, load_fixture_cases
from contract_tests.cases.value_templates import fill_templates
from contract_tests.contract.rules import load_catalogue
from contract_tests.generation.oracle import LARGE_BODY_BYTES

ACCEPTED = [
    case
    for case in load_fixture_cases(load_catalogue())
    if case.expect == "accept" and case.value is None and isinstance(case.steps[-1].body, dict)
]


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.id)
def test_no_accepted_body_passes_16_kib_with_every_property(case: Case) -> None:
    """A deployment may refuse more than 16 KiB, and where it refuses the plain body all properties are added."""
    body: Any = case.steps[-1].body
    whole = {**load_bodies()[f"{case.service_type}-full"], **body}
    assert len(json.dumps(fill_templates(whole, lambda _: "s" * 100)).encode()) <= LARGE_BODY_BYTES
