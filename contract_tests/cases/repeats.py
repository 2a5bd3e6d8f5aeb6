"""Repeats: cases that a run sends again at its end, by other callers.

A target may enforce a rule only at first, every other time, or on one of two instances behind an address.
"""

from collections.abc import Iterable, Mapping

from contract_tests.cases.callers import CallerPool
from contract_tests.cases.model import Case, Step
from contract_tests.cases.value_templates import fill_templates

_FEW_REFUSALS = 5
_RARE_CASES = 2
_RARE_REPEATS = 2
_LARGE = 50_000  # characters of a body


def repeat_refusals(cases: Iterable[Case], pool: CallerPool) -> list[Case]:
    """Return one refusal of each rule, by another caller.

    Rules with few refusals get it twice. The caller stays the same, so that nothing is sent in between.
    """
    by_rule = _group_by_rule(case for case in cases if case.expect == "refuse")
    return [
        pool.rotate_caller(of_rule[-1], offset=1)
        for of_rule in by_rule.values()
        for _ in range(2 if len(of_rule) < _FEW_REFUSALS else 1)
    ]


def repeat_rare_cases(cases: Iterable[Case], pool: CallerPool) -> list[Case]:
    """Return the cases of rules with one or two cases, each by several other callers."""
    by_rule = _group_by_rule(case for case in cases if not case.is_generated)
    return [
        pool.rotate_caller(case, offset)
        for of_rule in by_rule.values()
        if len(of_rule) <= _RARE_CASES
        for case in of_rule
        for offset in range(1, 1 + _RARE_REPEATS)
    ]


def repeat_cheap_cases(cases: Iterable[Case], pool: CallerPool, missing: Mapping[str, int]) -> list[Case]:
    """Return as many cases of each rule as it misses, by all callers in turn.

    Cheap are single requests with a small body that leave no service behind: refusals, and updates of a shared
    service.
    """
    by_rule = _group_by_rule(case for case in cases if _is_cheap(case))
    return [
        pool.rotate_caller(of_rule[number % len(of_rule)], number // len(of_rule))
        for rule, of_rule in by_rule.items()
        for number in range(missing.get(rule, 0))
    ]


def _is_cheap(case: Case) -> bool:
    updates = case.operation == "updateContainer" and case.expect == "accept"
    return len(case.steps) == 1 and (case.expect == "refuse" or updates) and not _is_large(case.steps[0])


def _is_large(step: Step) -> bool:
    filled = fill_templates([step.body, step.raw], lambda length: "s" * (length or 0))
    return len(str(filled)) > _LARGE


def _group_by_rule(cases: Iterable[Case]) -> Mapping[str, list[Case]]:
    by_rule: dict[str, list[Case]] = {}
    for case in cases:
        by_rule.setdefault(case.rule, []).append(case)
    return by_rule
