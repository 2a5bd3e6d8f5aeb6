"""Refusals in company: an invalid value beside valid values of other properties, since a fault may show only there.

The first refusal of each rule stays plain. The others get company by a covering array, at no further request. The
company is made of values that the target accepts: a refusal for their sake would prove nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import cycle
from typing import Any

from allpairspy import AllPairs

from contract_tests.cases.building.telling_values import TELLING_VALUES, Values, list_properties
from contract_tests.cases.model import SHARED_PREFIX, Case
from contract_tests.cases.tables import ABSENT

_SUFFIX = "~company"


def add_company(
    cases: Iterable[Case], bodies: Mapping[str, Any], values: Values = TELLING_VALUES
) -> list[Case]:
    """Return the cases of single values, with other valid properties in all refused ones but each rule's first.

    A property of both types is tried on both; ``bodies`` has the plain create of each, ``values`` the
    company.
    """
    rows = {kind: cycle(list(_list_rows(kind, values))) for kind in ("deployed", "external")}
    seen: dict[tuple[str, str], int] = defaultdict(int)
    result = []
    for case in cases:
        key = (case.rule, case.operation)
        seen[key] += case.expect == "refuse"
        if case.value is None or case.expect != "refuse" or seen[key] == 1:
            result.append(case)
            continue
        typed = _on_external(case, bodies) if seen[key] % 2 == 0 else case
        result.append(_with_company(typed, next(rows[typed.service_type])))
    return result


def _on_external(case: Case, bodies: Mapping[str, Any]) -> Case:
    """Return a case of a deployed service on an external one, if the property belongs to both types."""
    step, name = case.steps[0], case.value[2] if case.value else ""
    if case.service_type == "external" or name in ("docker_image", "service_type") or not case.value:
        return case
    value = (case.value[0], "external", name)
    if step.operation == "updateContainer":
        return replace(case, steps=(replace(step, service=f"{SHARED_PREFIX}external"),), value=value)
    plain = {key: item for key, item in step.body.items() if key not in bodies["deployed"] or key == name}
    base = {key: item for key, item in bodies["external"].items() if key != name}
    return replace(case, steps=(replace(step, body={**base, **plain}),), value=value)


def has_company(case: Case) -> bool:
    """Return whether a case sends other properties beside the one that it is about."""
    return case.id.endswith(_SUFFIX)


def _list_rows(service_type: str, values: Values) -> Iterator[Mapping[str, Any]]:
    names = [name for name in list_properties(service_type) if name in values and name != "docker_image"]
    if len(names) < 2:  # nothing to pair
        yield {}
        return
    levels = [[None, *range(len(values[name]))] for name in names]
    for row in AllPairs(levels):
        chosen = {n: values[n][place] for n, place in zip(names, row, strict=True) if place is not None}
        explicit = service_type == "deployed" and row[0] in (0, 2)
        yield {"service_type": "deployed", **chosen} if explicit else chosen


def _with_company(case: Case, others: Mapping[str, Any]) -> Case:
    step, name = case.steps[0], case.value[2] if case.value else ""
    if step.body is ABSENT or not isinstance(step.body, dict):
        return case
    body = {
        **{key: value for key, value in others.items() if key != name and key not in step.body},
        **step.body,
    }
    return replace(case, id=case.id + _SUFFIX, steps=(replace(step, body=body),))
