"""The order of the requests of a comparison."""

from contract_tests.cases.model import Case, Step
from contract_tests.parity.plan import take_turns


def build_cases(*rules: str) -> list[Case]:
    """Return a numbered case for each rule."""
    return [Case(f"{rule}-{number}", rule, "cases", (Step(),)) for number, rule in enumerate(rules)]


def test_a_part_of_the_cases_tries_every_rule() -> None:
    """A rule with many cases does not come before the first case of another one."""
    cases = [*take_turns(build_cases(*"aaaaaabbc"), seed=0)]
    assert {case.rule for case in cases[:3]} == {"a", "b", "c"}
    assert [case.rule for case in cases[5:]] == ["a"] * 4
    assert len({case.id for case in cases}) == 9


def test_an_open_case_comes_early_for_its_choice() -> None:
    """The only case of a choice does not wait for the other cases of its rule, which are many."""
    closed = build_cases(*"aaaaaaaaab")
    for seed in range(5):
        ordered = [*take_turns([*closed, Case("open", "a", "cases", (Step(choice="c"),))], seed)]
        assert "open" in [case.id for case in ordered[:3]]


def test_the_seed_gives_the_order() -> None:
    """Equal seeds give equal orders, other seeds others."""
    cases = build_cases(*"abcdefgh")
    assert [*take_turns(cases, 1)] == [*take_turns(cases, 1)]
    assert [*take_turns(cases, 1)] != [*take_turns(cases, 2)]
