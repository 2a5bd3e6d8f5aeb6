"""Covering arrays: every pair of caller, type, form of the request and values of properties meets in some request.

A fault may show only in company. allpairspy chooses the rows; equal arguments give equal rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from allpairspy import AllPairs

from contract_tests.cases.building.telling_values import (
    TELLING_VALUES,
    Values,
    choose_values,
    list_properties,
)
from contract_tests.cases.model import Case, Step

_ABSENT = "absent"
_TYPES = ("deployed", "deployed by default", "external")
#: Forms of a request that make no difference, by name: changes of a step.
_FORMS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "chunked": {"headers": (("Transfer-Encoding", "chunked"),)},
    "closed": {"headers": (("Connection", "close"),)},
    "accept list": {"headers": (("Accept", "text/html, application/json;q=0.9"),)},
    "further headers": {
        "headers": (("Accept-Language", "de"), ("X-Request-ID", "1"), ("Cache-Control", "no-cache"))
    },
    "indented": {"style": "indented"},
    "escaped": {"style": "escaped"},
    "reversed": {"style": "reversed"},
}
#: Slugs by kind: the properties that a create has for it.
_SLUGS: Mapping[str, Mapping[str, Any]] = {
    "usual": {},
    "longest": {"service_slug": {"$slug": {"length": 100, "start": "ck-"}}},
    "digits": {"service_slug": {"$slug": {"length": 20, "digits": True}}},
}
#: Properties with a default, which other rules are about.
_WITH_DEFAULT = ("exposed_port", "health_path", "gpu_count", "replica_count")
_UPDATES_PER_CASE = 5
_CREDENTIAL = "external_auth_credential_id"

Row = Mapping[str, Any]


def build_covering_cases(
    roles: Sequence[str], values: Values = TELLING_VALUES, prefix: str = "covering"
) -> list[Case]:
    """Return creates and updates in which every pair of factors meets, each compared with its read-back."""
    if not roles:
        return []
    rows = list(_list_rows(roles, _TYPES, values))
    return [
        *(_build_create(f"{prefix}/create-{number}", row, values) for number, row in enumerate(rows, 1)),
        *_build_updates(roles, values, prefix),
    ]


def _list_rows(roles: Sequence[str], types: Sequence[str], values: Values) -> Iterator[Row]:
    properties = {name: [_ABSENT, *range(len(several))] for name, several in values.items()}
    factors = {
        "caller": list(roles),
        "type": list(types),
        "form": list(_FORMS),
        "slug": list(_SLUGS),
        **properties,
    }
    levels = list(factors.values())
    for row in _cover_pairs(tuple(map(len, levels))):
        yield {name: several[level] for name, several, level in zip(factors, levels, row, strict=True)}


@cache  # the search takes a tenth of a run against the mock, and most runs of a process ask for equal sizes
def _cover_pairs(sizes: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return rows of levels in which every pair of levels meets, for factors with so many levels."""
    return tuple(map(tuple, AllPairs([list(range(size)) for size in sizes])))


def _list_single_rows(roles: Sequence[str], types: Sequence[str], values: Values) -> Iterator[Row]:
    """Yield a row for each property alone; they come first, while no property has its default."""
    for service_type in types:
        for number, name in enumerate(filter(values.__contains__, list_properties(service_type))):
            caller = roles[number % len(roles)]
            yield {"caller": caller, "type": service_type, "form": "plain", name: 1 % len(values[name])}


def _values_of_row(row: Row, service_type: str, values: Values) -> dict[str, Any]:
    return {
        name: values[name][row[name]]
        for name in list_properties(service_type)
        if row.get(name, _ABSENT) != _ABSENT
    }


def _choose_required(service_type: str, values: Values) -> dict[str, Any]:
    needed = "external_url" if service_type == "external" else "docker_image"
    return {"display_name": "Covered", needed: values.get(needed, TELLING_VALUES[needed])[-1]}


def _build_create(case_id: str, row: Row, values: Values) -> Case:
    service_type = row["type"].partition(" ")[0]
    sent = {**_choose_required(service_type, values), **_values_of_row(row, service_type, values)}
    body = sent if row["type"] == "deployed by default" else {"service_type": service_type, **sent}
    body = {**_SLUGS[row["slug"]], **body}
    step = Step(caller=row["caller"], body=body, expect="accept", rule="created")
    create = replace(step, **_FORMS[row["form"]])
    absent = {name: None for name in list_properties(service_type) if name not in _WITH_DEFAULT}
    explicit = {} if row["type"] == "deployed by default" else {"service_type": service_type}
    shows = {**explicit, **absent, **sent}
    read = Step("readContainer", create.caller, shows=tuple(shows.items()))
    return Case(case_id, "created-stored", "lifecycle", (create, read))


def _build_updates(roles: Sequence[str], values: Values, prefix: str) -> Iterator[Case]:
    """Yield series of updates of one service; after each, what it sent and what it left out is read back."""
    types = ("deployed", "external")
    rows = [*_list_single_rows(roles, types, values), *_list_rows(roles, types, values)]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["caller"], row["type"]), []).append(row)
    for (role, service_type), members in groups.items():
        for start in range(0, len(members), _UPDATES_PER_CASE):
            steps = _build_series(role, service_type, values, members[start : start + _UPDATES_PER_CASE])
            name = f"{prefix}/update-{service_type}-by-{role}-{start // _UPDATES_PER_CASE + 1}"
            yield Case(name, "updated-stored", "lifecycle", tuple(steps))


def _build_series(role: str, service_type: str, values: Values, rows: Sequence[Row]) -> Iterator[Step]:
    stored = {**_choose_required(service_type, values), **choose_values(service_type, 0, values)}
    yield Step(caller=role, body={"service_type": service_type, **stored})
    for number, row in enumerate(rows):
        sent = _values_of_row(row, service_type, values)
        kept = {name: value for name, value in stored.items() if name not in sent}
        stored, shown = stored | sent, dict(sent)
        null_credential = number % 2 == 0 and service_type == "external" and _CREDENTIAL in kept
        if null_credential:
            sent = {**sent, _CREDENTIAL: None}  # means the same as leaving it out
        update = Step("updateContainer", role, body=sent, expect="accept", rule="updated")
        yield replace(update, **_FORMS[row["form"]])
        yield Step("readContainer", role, shows=tuple(shown.items()), rule="updated-stored")
        if null_credential:
            credential = ((_CREDENTIAL, kept.pop(_CREDENTIAL)),)
            yield Step("readContainer", role, shows=credential, rule="external-credential-null-keeps")
        if kept:
            shows = (("service_type", service_type), *kept.items())
            yield Step("readContainer", role, shows=shows, rule="update-keeps-omitted")
