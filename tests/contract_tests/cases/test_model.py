"""Cases as values and as JSON."""

import json

from contract_tests.cases.model import case_from_json, case_to_json
from contract_tests.cases.tables import load_bodies, load_fixture_cases
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec

CATALOGUE, SPEC, BODIES = load_catalogue(), load_spec(), load_bodies()


def test_case_survives_json() -> None:
    """Every fixture case keeps its steps in a round trip through JSON."""
    for case in load_fixture_cases(CATALOGUE):
        again = case_from_json(json.loads(json.dumps(case_to_json(case))))
        assert again.steps == case.steps
