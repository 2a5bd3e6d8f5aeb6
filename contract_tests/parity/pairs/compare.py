"""Compares two responses to one request: accepted or not, the status, the shape, and what a read-back shows."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from contract_tests.generation.oracle import PROPERTY_NAMES
from contract_tests.parity.pairs.openness import UNUSED, drop_unknown_item_properties
from contract_tests.parity.pairs.services import ALL, KnownService
from contract_tests.results.judge import is_uuid, parse_json_object
from contract_tests.targets.base import Response, is_success

Dimension = Literal["accepted", "status", "shape", "stored"]
DIMENSIONS: tuple[Dimension, ...] = ("accepted", "status", "shape", "stored")
Reaction = Literal["accepted", "refused", "error"]

_EMPTY: tuple[Any, ...] = (None, "", [])
_ABSENT = "absent"
_MISSING = object()
_MAX_VALUE = 120  # characters of a value that is shown


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two responses part: the dimension, the part of the response, and both values in words."""

    dimension: Dimension
    part: str
    theirs: str
    ours: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The dimensions in which two responses were compared, and where they part."""

    dimensions: frozenset[Dimension]
    differences: tuple[Difference, ...] = ()

    def differs_in(self, dimension: Dimension) -> bool:
        """Return whether the responses part in a dimension."""
        return any(difference.dimension == dimension for difference in self.differences)


def find_reaction(response: Response) -> Reaction:
    """Return how a response reacts; whatever is neither a success nor a 4xx is an error."""
    if is_success(response):
        return "accepted"
    return "refused" if 400 <= response.status < 500 else "error"


def compare_writes(theirs: Response, ours: Response, service: KnownService | None) -> Comparison:
    """Compare the responses to a create or an update; ``service`` is the one that an update names."""
    reactions = find_reaction(theirs), find_reaction(ours)
    if reactions[0] != reactions[1]:
        words = f"{reactions[0]} ({theirs.status})", f"{reactions[1]} ({ours.status})"
        both = Difference("accepted", "reaction", *words), Difference("status", "reaction", *words)
        return Comparison(frozenset({"accepted", "status"}), both)
    found = []
    if theirs.status != ours.status:
        found.append(Difference("status", "status", str(theirs.status), str(ours.status)))
    ids = (service.theirs, service.ours) if service else ("", "")
    shapes = [_describe_shape(one, known) for one, known in zip((theirs, ours), ids, strict=True)]
    found += _list_shape_differences(*shapes)
    return Comparison(frozenset({"accepted", "status", "shape"}), tuple(found))


def compare_reads(theirs: Response, ours: Response, service: KnownService) -> Comparison:
    """Compare two read-backs of a service, without the properties that have parted before."""
    shown, own = (parse_json_object(one) if is_success(one) else None for one in (theirs, ours))
    if ALL in service.parted or (shown is None and own is None):
        return Comparison(frozenset())
    if shown is None or own is None:
        pair = ("shown" if one is not None else "not shown" for one in (shown, own))
        return Comparison(frozenset({"stored"}), (Difference("stored", "service", *pair),))
    found = []
    if str(shown.get("id", "")).lower() != service.theirs.lower():
        found.append(Difference("stored", "id", "another id than the create", "the id of the create"))
    for name in sorted(PROPERTY_NAMES - service.parted):
        values = (drop_unknown_item_properties(name, one.get(name, _MISSING)) for one in (shown, own))
        differences = _compare_values(name, *values)
        # The pages show a property on services of its type only: how another one looks is no choice of the mock.
        found += [
            one for one in differences if one.dimension != "shape" or (service.type, name) not in UNUSED
        ]
    return Comparison(frozenset({"shape", "stored"}), tuple(found))


def _compare_values(name: str, theirs: Any, ours: Any) -> Iterator[Difference]:
    empty = theirs is _MISSING or theirs in _EMPTY, ours is _MISSING or ours in _EMPTY
    if all(empty):
        forms = _describe_value(theirs), _describe_value(ours)
        if forms[0] != forms[1]:
            yield Difference("shape", name, *forms)
    elif any(empty) or not _is_same(theirs, ours):
        yield Difference("stored", name, _describe_value(theirs), _describe_value(ours))


def _is_same(theirs: Any, ours: Any) -> bool:
    """Return whether two values are the same; ids and numbers in any spelling."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return theirs.keys() == ours.keys() and all(_is_same(theirs[name], ours[name]) for name in theirs)
    if isinstance(theirs, list) and isinstance(ours, list):
        return len(theirs) == len(ours) and all(map(_is_same, theirs, ours))
    if is_uuid(theirs) and is_uuid(ours):
        return bool(theirs.lower() == ours.lower())
    return isinstance(theirs, bool) == isinstance(ours, bool) and bool(theirs == ours)


def _describe_value(value: Any) -> str:
    if value is _MISSING:
        return _ABSENT
    text = json.dumps(value, ensure_ascii=False)
    size = len(value if isinstance(value, str) else text)
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}… ({size:,} characters)"


def _describe_shape(response: Response, service: str) -> Mapping[str, str]:
    """Return the shape of a response: the media type of a refusal, the id of a success and what is beside it."""
    if not is_success(response):
        headers = {name.lower(): value for name, value in response.headers}
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        return {"body": media_type if response.body else "empty"}
    body = parse_json_object(response)
    if body is None:
        return {"id": "no JSON object"}
    extra = "present" if body.keys() - {"id"} else "absent"
    identifier = body.get("id")
    if not isinstance(identifier, str) or not is_uuid(identifier):
        return {"id": "no UUID", "more properties": extra}
    if service and identifier.lower() != service.lower():
        return {"id": "that of another service", "more properties": extra}
    shape = {"id": "a UUID", "id version": identifier[14], "more properties": extra}
    if identifier.lower() != identifier.upper():
        shape["id case"] = "lower" if identifier == identifier.lower() else "upper"
    return shape


def _list_shape_differences(theirs: Mapping[str, str], ours: Mapping[str, str]) -> Iterator[Difference]:
    """Yield the parts that both shapes have, and that differ."""
    for part in theirs.keys() & ours.keys():
        if theirs[part] != ours[part]:
            yield Difference("shape", part, theirs[part], ours[part])
