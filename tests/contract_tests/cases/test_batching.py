"""Batches of cases."""

from contract_tests.cases.batching import batch_cases
from contract_tests.cases.tables import load_bodies, load_fixture_cases
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec

CATALOGUE, SPEC, BODIES = load_catalogue(), load_spec(), load_bodies()


def test_batch_holds_each_property_once() -> None:
    """A batch never holds a property twice; no case is lost, and cases that must be refused stay single."""
    cases = [case for case in load_fixture_cases(CATALOGUE) if case.layer == "cases"]
    packs, alone = batch_cases(cases)
    members = [member for pack in packs for member in pack.members]
    assert sorted(c.id for c in [*members, *alone]) == sorted(c.id for c in cases)
    assert all(c.expect == "refuse" for c in alone if c.steps[0].slug is None)
    for pack in packs:
        names = [member.value[2] for member in pack.members if member.value]
        assert len(set(names)) == len(names)


def test_an_open_batch_is_about_one_choice() -> None:
    """A refusal of several choices at once would show none of them."""
    cases = [case for case in load_fixture_cases(CATALOGUE) if case.expect == "open" and case.value]
    packs, _ = batch_cases(cases)
    assert all(len({member.steps[0].choice for member in pack.members}) == 1 for pack in packs)
    assert len(packs) < len(cases)
