"""When two findings of different runs are the same."""

from contract_tests.results.comparison import FindingKey


def test_an_unknown_input_may_be_any_of_its_operation() -> None:
    """A finding whose input is not known in part matches each input of its operation, and of no other one."""
    unknown = FindingKey("r", "create in one request", "s")
    known = FindingKey("r", "create with exposed_port", "s")
    assert unknown.matches(known)
    assert known.matches(unknown)
    assert not unknown.matches(FindingKey("r", "update with exposed_port", "s"))
    assert not known.matches(FindingKey("r", "create with gpu_count", "s"))
    assert not unknown.matches(FindingKey("r", "create with exposed_port", "other"))
