"""Changes: the differences between two documents, operation by operation and keyword by keyword.

A change guides the search for requests that show it. By itself it proves nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from contract_tests.cases.model import OperationId
from contract_tests.contract.property_rules import find_omission_rule
from contract_tests.contract.spec import HTTP_METHODS
from contract_tests.mutation.mutants import (
    SECURITY_RULES,
    apply_edit,
    expand_document,
    format_pointer,
    iter_rules,
    value_at,
)
from contract_tests.mutation.operators import GONE, Edit
from contract_tests.mutation.tightening import CLOSED_RULE, find_nearest_rules

OPERATIONS: tuple[OperationId, ...] = ("createContainer", "updateContainer")
Place = tuple[str | int, ...]

_MAX_TEXT = 60
#: Keys of an object that describe, and change no request and no response.
_ANNOTATIONS = frozenset(
    {"$comment", "callbacks", "deprecated", "description", "example", "examples", "externalDocs", "links",
     "operationId", "servers", "summary", "tags", "title"}
)  # fmt: skip
#: Objects whose keys are names, and no keywords.
_NAMED = ("properties", "patternProperties", "dependentSchemas", "content", "headers")
#: Keywords whose values are data, even if these are objects.
_DATA = ("const", "default", "enum")
#: Keywords whose rules hold for the parts of their schemas that name none.
_INHERITING = ("if", "then", "else", "items", "anyOf", "oneOf", "allOf")
#: Keywords that only together say what is allowed.
_FAMILIES = {
    key: family
    for family in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
        ("if", "then", "else"),
    )
    for key in family
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two documents.

    ``place`` holds the keys from the old document to the changed object, ``edit`` the new values of its keywords,
    ``keyword`` the first of these. ``text`` says what changed, ``rules`` are those of the keywords.
    """

    operation: OperationId
    place: Place
    keyword: str
    text: str
    rules: tuple[str, ...]
    edit: Edit

    def apply(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy of the old document with this change alone."""
        changed: dict[str, Any] = apply_edit(document, self.place, self.edit)
        return changed

    @property
    def pointer(self) -> str:
        """The place within the operation."""
        return format_pointer(self.place)

    @property
    def body_place(self) -> Place | None:
        """The place within the schema of the body, None if the change is elsewhere."""
        if "requestBody" not in self.place or "schema" not in self.place:
            return None
        return self.place[self.place.index("schema") + 1 :]

    @property
    def property(self) -> str:
        """The property of the body that changes, empty if it is anything else."""
        inner = self.body_place or ()
        if not inner or inner[0] != "properties":
            return ""
        return str(inner[1]) if len(inner) > 1 else self.keyword


def write_out(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with its operations written out: references, shared parameters and security."""
    whole = expand_document(document)
    whole["paths"] = {
        path: _write_out_item(item, document) for path, item in whole["paths"].items() if path[:2] != "x-"
    }
    return whole


def list_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return the changes of the two operations between documents from ``write_out``."""
    return list(chain.from_iterable(_compare_operations(name, old, new) for name in OPERATIONS))


def find_operation(document: Mapping[str, Any], name: str) -> Place | None:
    """Return the keys to an operation, None if the document does not have it."""
    for path, item in document["paths"].items():
        for method in HTTP_METHODS:
            if isinstance(item.get(method), Mapping) and item[method].get("operationId") == name:
                return "paths", path, method
    return None


def _write_out_item(item: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    shared = item.get("parameters", ())
    whole = {key: value for key, value in item.items() if key != "parameters"}
    for method in HTTP_METHODS:
        if method not in item:
            continue
        operation = dict(item[method])
        own = {(p["in"], p["name"]): p for p in (*shared, *operation.get("parameters", ()))}
        security = operation.get("security", document.get("security"))
        operation["responses"] = {str(code): each for code, each in operation.get("responses", {}).items()}
        whole[method] = {**operation, "parameters": list(own.values()), "security": security or []}
    return whole


def _compare_operations(
    name: OperationId, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    before, after = find_operation(old, name), find_operation(new, name)
    if before is None:
        return
    _, path, method = before
    rest = {key: value for key, value in old["paths"][path].items() if key != method}
    was, operation = f"{str(method).upper()} {path}", value_at(old, before)
    if after is None:
        yield Change(name, ("paths",), "paths", f"{was} is gone", (), ((str(path), rest),))
        return
    comparer = _Comparer(name)
    if before != after:
        _, new_path, new_method = after
        moved = {path: rest}
        moved[new_path] = {**moved.get(new_path, old["paths"].get(new_path, {})), new_method: operation}
        text = f"{was} is now {str(new_method).upper()} {new_path}"
        yield Change(name, ("paths",), "paths", text, (), tuple((str(k), v) for k, v in moved.items()))
    yield from comparer.compare(operation, value_at(new, after), before)


@dataclass(frozen=True, slots=True)
class _Comparer:
    """Compares the objects of one operation."""

    operation: OperationId

    def compare(
        self, old: Mapping[str, Any], new: Mapping[str, Any], place: Place, outer: tuple[str, ...] = ()
    ) -> Iterator[Change]:
        """Yield the changes between two objects; ``outer`` are the rules of the keyword that holds them."""
        done: set[str] = set()
        for key in dict.fromkeys([*old, *new]):
            family = _FAMILIES.get(key, (key,))
            described = key in _ANNOTATIONS or str(key).startswith("x-")
            if described or key in done or _are_same(old, new, family):
                continue
            done.update(family)
            if len(family) > 1 and not _can_go_deeper(old, new, family):
                yield self._build(old, new, place, family, outer)
            else:
                for single in family:
                    if not _are_same(old, new, (single,)):
                        yield from self._compare_key(old, new, place, single, outer)

    def _compare_key(
        self, old: Mapping[str, Any], new: Mapping[str, Any], place: Place, key: str, outer: tuple[str, ...]
    ) -> Iterator[Change]:
        before, after = old.get(key), new.get(key)
        own = _list_rules((old, new), key)
        rules = (own or outer) if key in _INHERITING else ()
        if key in ("parameters", "responses") and len(place) == 3:
            compare: Any = self._compare_parameters if key == "parameters" else self._compare_responses
            yield from compare(before or {}, after or {}, (*place, key))
        elif key == "required" and isinstance(before or [], list) and isinstance(after or [], list):
            yield from self._compare_required(old, new, place, outer)
        elif isinstance(before, Mapping) and isinstance(after, Mapping) and key not in _DATA:
            if key in _NAMED:
                yield from self._compare_names(
                    before, after, (*place, key), own if key == "content" else outer
                )
            else:
                yield from self.compare(before, after, (*place, key), rules)
        elif _are_alike(before, after) and key not in _DATA:
            for number, (one, other) in enumerate(zip(before or (), after or (), strict=True)):
                yield from self.compare(one, other, (*place, key, number), rules)
        else:
            yield self._build(old, new, place, (key,), outer)

    def _compare_names(
        self, old: Mapping[str, Any], new: Mapping[str, Any], place: Place, outer: tuple[str, ...]
    ) -> Iterator[Change]:
        for name in dict.fromkeys([*old, *new]):
            before, after = old.get(name), new.get(name)
            if isinstance(before, Mapping) and isinstance(after, Mapping):
                inner = () if place[-1] == "content" else outer
                yield from self.compare(before, after, (*place, name), inner)
            elif not _are_same(old, new, (name,)):
                rules = _list_rules((before, after), "type") or outer or (CLOSED_RULE,)
                text = f"{name} is {'gone' if name not in new else 'new' if name not in old else 'changed'}"
                edit: Edit = ((name, new.get(name, GONE)),)
                yield Change(self.operation, place, name, text, rules, edit)

    def _compare_required(
        self, old: Mapping[str, Any], new: Mapping[str, Any], place: Place, outer: tuple[str, ...]
    ) -> Iterator[Change]:
        """Yield a change for each name that is required in one of two schemas only."""
        before, after = old.get("required") or [], new.get("required") or []
        for name in dict.fromkeys([*before, *after]):
            if (name in before) != (name in after):
                gone = name in before
                edit = (("required", [n for n in before if n != name] if gone else [*before, name]),)
                text = f"{name} is {'no longer' if gone else 'now'} required"
                named = dict.fromkeys(chain.from_iterable(_list_required_rules(n, name) for n in (old, new)))
                rules = tuple(named) or outer or (find_omission_rule(self.operation, name),)
                yield Change(self.operation, place, "required", text, rules, edit)

    def _compare_parameters(
        self, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], place: Place
    ) -> Iterator[Change]:
        names = {(p["in"], p["name"]): number for number, p in enumerate(old)}
        others = {(p["in"], p["name"]): p for p in new}
        for key, number in names.items():
            if key in others:
                yield from self.compare(old[number], others[key], (*place, number))
            else:
                rest = [p for p in old if p is not old[number]]
                yield self._build_parameter(key, "gone", place, rest, old[number])
        for key, parameter in others.items():
            if key not in names:
                yield self._build_parameter(key, "new", place, [*old, parameter], parameter)

    def _build_parameter(
        self, key: tuple[str, str], what: str, place: Place, value: Any, parameter: Mapping[str, Any]
    ) -> Change:
        text = f"the {key[0]} parameter {key[1]} is {what}"
        rules = _list_rules((parameter, parameter.get("schema")), "required") or _list_rules(
            (parameter.get("schema"),), "type"
        )
        return Change(self.operation, place[:-1], "parameters", text, rules, (("parameters", value),))

    def _compare_responses(
        self, old: Mapping[str, Any], new: Mapping[str, Any], place: Place
    ) -> Iterator[Change]:
        """Yield the change of the statuses of a success, and those of each response."""
        before, after = ([code for code in each if code.startswith("2")] for each in (old, new))
        if before != after:
            text = f"success {', '.join(before) or 'unnamed'} -> {', '.join(after) or 'unnamed'}"
            edit = tuple((code, GONE) for code in before if code not in after)
            edit += tuple((code, new[code]) for code in after)
            yield Change(self.operation, place, "responses", text, (), edit)
        for code in old:
            if code in new:
                yield from self.compare(old[code], new[code], (*place, code))
        for code in dict.fromkeys([*old, *new]):
            if code not in (*before, *after) and (code in old) != (code in new):
                text = f"status {code} is {'gone' if code in old else 'new'}"
                yield Change(self.operation, place, code, text, (), ((code, new.get(code, GONE)),))

    def _build(
        self,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        place: Place,
        keys: Iterable[str],
        outer: tuple[str, ...],
    ) -> Change:
        """Return the change of some keywords of one object."""
        changed = [key for key in keys if not _are_same(old, new, (key,))]
        text = ", ".join(_describe(key, old.get(key, GONE), new.get(key, GONE)) for key in changed)
        rules = _list_rules((old, new), *changed)
        edit = tuple((key, new.get(key, GONE)) for key in changed)
        return Change(self.operation, place, changed[0], text, rules or outer, edit)


def _are_same(old: Mapping[str, Any], new: Mapping[str, Any], keys: Iterable[str]) -> bool:
    """Return whether some keys of two objects have the same values; 1, 1.0 and true differ."""
    return all((key in old) == (key in new) and _write(old.get(key)) == _write(new.get(key)) for key in keys)


def _can_go_deeper(old: Mapping[str, Any], new: Mapping[str, Any], keys: Iterable[str]) -> bool:
    return all(
        _are_same(old, new, (key,)) or all(isinstance(each.get(key), Mapping) for each in (old, new))
        for key in keys
    )


def _are_alike(old: Any, new: Any) -> bool:
    """Return whether two values are lists of as many objects."""
    lists = isinstance(old, list) and isinstance(new, list) and len(old) == len(new)
    return lists and all(isinstance(item, Mapping) for item in (*old, *new))


def _list_rules(nodes: Iterable[Any], *keywords: str) -> tuple[str, ...]:
    """Return the rules of keywords in the old or the new object, else those of related keywords."""
    if keywords == ("security",):
        return SECURITY_RULES
    pairs = [(node, keyword) for node in nodes if isinstance(node, Mapping) for keyword in keywords]
    named = [*chain.from_iterable(iter_rules(node, keyword) for node, keyword in pairs)]
    if not named and keywords == ("additionalProperties",):
        return (CLOSED_RULE,)
    near = chain.from_iterable(find_nearest_rules(*pair) for pair in pairs if "x-rules" in pair[0])
    return tuple(dict.fromkeys(named or near))


def _list_required_rules(schema: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the rule that requires a property, none if its schema names it for others only."""
    rules = schema.get("x-rules", {}).get("required", {})
    rule = rules.get(name) if isinstance(rules, Mapping) else rules
    return (rule,) if rule else ()


def _describe(key: str, old: Any, new: Any) -> str:
    if old is GONE:
        return f"new {key} {_shorten(new)}"
    return f"{key} {_shorten(old)} {'removed' if new is GONE else f'-> {_shorten(new)}'}"


def _shorten(value: Any) -> str:
    text = _write(value)
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"


def _write(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
