"""An OpenAPI document as plain data: inlined references, operations and disabled rules."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mock_server.contract.model import Node
from mock_server.contract.resources import UnusableFileError, is_too_large

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def inline_references(document: Node) -> Node:
    """Return the document without `$ref`; keywords beside a reference are merged over its target."""
    targets: dict[str, Any] = {}

    def visit(node: Any, parents: tuple[str, ...]) -> Any:
        if isinstance(node, list):
            return [visit(item, parents) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        _check_dynamic_reference(node.get("$dynamicRef"))
        siblings = {key: visit(value, parents) for key, value in node.items() if key != "$ref"}
        if not isinstance(reference, str):
            return {**siblings, "$ref": visit(reference, parents)} if "$ref" in node else siblings
        if reference in parents:
            raise UnusableFileError(f"{reference}: refers to itself; the mock supports no recursive schemas")
        if reference not in targets:
            targets[reference] = visit(resolve_reference(document, reference), (*parents, reference))
        return merge_nodes(targets[reference], siblings)

    result: Node = visit(document, ())
    if is_too_large(result):
        raise UnusableFileError("the document is too large once its references are replaced; correct it")
    return result


def _check_dynamic_reference(reference: object) -> None:
    """Raise UnusableFileError for a dynamic reference to another document, which a validator would follow."""
    if isinstance(reference, str) and not reference.startswith("#"):
        raise UnusableFileError(
            f"{reference}: not a reference within the document; move its target into the document"
        )


def resolve_reference(document: Node, reference: str) -> Any:
    """Return the target of a local reference such as `#/components/schemas/ServiceSlug`."""
    node: Any = document
    if not reference.startswith("#/"):
        raise UnusableFileError(
            f"{reference}: not a reference within the document; move its target into the document"
        )
    for part in reference[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            raise UnusableFileError(f"{reference}: points to nothing; correct the reference")
        node = node[key]
    return node


def merge_nodes(base: Any, over: Node) -> Any:
    """Return `base` with the keys of `over`; their `x-rules` are merged."""
    if not over or not isinstance(base, dict):
        return base
    result = {**base, **over}
    if isinstance(base.get("x-rules"), dict) and isinstance(over.get("x-rules"), dict):
        result["x-rules"] = {**base["x-rules"], **over["x-rules"]}
    return result


def iter_operations(document: Node) -> Iterator[tuple[str, str, Node, Node]]:
    """Yield the path, method, path item and operation object of each operation of an inlined document."""
    for path, item in (document.get("paths") or {}).items():
        for method in METHODS:
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                yield path, method, item, item[method]


def disable_rules(node: Node, disabled: frozenset[str]) -> Node:
    """Return a schema (or parameter) without the keywords of the disabled rules."""
    if not disabled:
        return node
    result: Node = {}
    for key, value in node.items():
        if isinstance(value, dict) and key != "x-rules":
            result[key] = disable_rules(value, disabled)
        elif isinstance(value, list) and key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
            result[key] = [
                disable_rules(branch, disabled)
                for branch in value
                if not _is_disabled_branch(branch, disabled)
            ]
        else:
            result[key] = value
    rules = node.get("x-rules")
    for keyword, rule in rules.items() if isinstance(rules, dict) else ():
        _disable_keyword(result, keyword, rule, disabled)
    return result


def _is_disabled_branch(branch: Any, disabled: frozenset[str]) -> bool:
    """Return whether a branch only grants a disabled permission: null."""
    if not isinstance(branch, dict) or branch.get("type") != "null":
        return False
    return bool(disabled & set((branch.get("x-rules") or {}).values()))


def _disable_keyword(node: Node, keyword: str, rule: Any, disabled: frozenset[str]) -> None:
    if isinstance(rule, dict):
        node[keyword] = [name for name in node.get(keyword, ()) if rule.get(name) not in disabled]
    elif rule in disabled:
        opposite = _NEGATIONS.get((keyword, _hashable(node.get(keyword))))
        if opposite is None:
            node.pop(keyword, None)
        else:
            node[keyword] = opposite(node)


def _hashable(value: Any) -> object:
    return tuple(value) if isinstance(value, list) else value if isinstance(value, bool) else None


#: A disabled permission becomes the opposite of its keyword; a disabled constraint is removed.
_NEGATIONS: dict[tuple[str, object], Callable[[Node], Any]] = {
    ("additionalProperties", True): lambda _: False,
    ("required", ()): lambda node: list(node.get("properties", ())),
    ("required", False): lambda _: True,
}


def iter_rule_ids(node: Any) -> Iterator[str]:
    """Yield the ids of the rules beside the keywords of a node and of its children."""
    if isinstance(node, dict):
        rules = node.get("x-rules")
        yield from _iter_values(rules.values() if isinstance(rules, dict) else ())
        for key, value in node.items():
            if key != "x-rules":
                yield from iter_rule_ids(value)
    elif isinstance(node, list):
        for item in node:
            yield from iter_rule_ids(item)


def _iter_values(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, dict):
            yield from value.values()
        else:
            yield value
