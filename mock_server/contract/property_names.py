"""The names of properties that a schema knows, at every depth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_LISTS = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("if", "then", "else")
#: Keywords beside `properties` that say more about other names.
_OTHER_NAMES = frozenset({"patternProperties", "unevaluatedProperties", "propertyNames"})


class UnknownProperty(NamedTuple):
    """A property that a schema does not know: its place, such as `env_config/0/valeu`, and the known names there."""

    place: str
    name: str
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class PropertyNames:
    """The names that a schema knows. If it is open, it allows other names and says nothing about them.

    `inner` has the names within each property, `items` those within the items of an array.
    """

    known: frozenset[str]
    is_open: bool
    inner: Mapping[str, "PropertyNames"]
    items: "PropertyNames | None"

    def iter_unknown(self, value: Any, place: str = "") -> Iterator[UnknownProperty]:
        """Yield the properties of a value that an open schema allows and does not know."""
        if isinstance(value, dict):
            if self.is_open and not value.keys() <= self.known:
                for name in value:
                    if name not in self.known:
                        yield UnknownProperty(place + name, name, self.known)
            for name, names in self.inner.items():
                if name in value:
                    yield from names.iter_unknown(value[name], f"{place}{name}/")
        elif isinstance(value, list) and self.items is not None:
            for number, item in enumerate(value):
                yield from self.items.iter_unknown(item, f"{place}{number}/")

    def without_unknown(self, value: Any) -> Any:
        """Return a copy of a value without the properties that `iter_unknown` yields."""
        if isinstance(value, dict):
            return {
                name: self.inner[name].without_unknown(item) if name in self.inner else item
                for name, item in value.items()
                if name in self.known or not self.is_open
            }
        if isinstance(value, list) and self.items is not None:
            return [self.items.without_unknown(item) for item in value]
        return value


def find_property_names(schema: Any) -> PropertyNames:
    """Return the names that a schema without references knows."""
    parts = list(_iter_parts(schema))
    schemas: dict[str, list[Any]] = {}
    for part in parts:
        for name, inner in (part.get("properties") or {}).items():
            schemas.setdefault(name, []).append(inner)
    inner = {name: find_property_names({"allOf": found}) for name, found in schemas.items()}
    items = [part["items"] for part in parts if isinstance(part.get("items"), dict)]
    names_of_items = find_property_names({"allOf": items}) if items else None
    closed = any(
        part.get("additionalProperties", True) is not True or _OTHER_NAMES & set(part) for part in parts
    )
    return PropertyNames(
        known=frozenset(schemas),
        is_open=bool(schemas) and not closed,
        inner={name: names for name, names in inner.items() if names.known or names.items},
        items=names_of_items if names_of_items and (names_of_items.known or names_of_items.items) else None,
    )


def _iter_parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield a schema and the schemas within it that apply to the same value."""
    if not isinstance(schema, dict):
        return
    yield schema
    for keyword in _LISTS:
        for branch in schema.get(keyword) or ():
            yield from _iter_parts(branch)
    for keyword in _BRANCHES:
        yield from _iter_parts(schema.get(keyword))
