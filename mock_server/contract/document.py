"""An OpenAPI document as plain data: references inlined, rules switched off."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mock_server.contract.model import Node
from mock_server.contract.resources import UnusableFileError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def inline_references(document: Node) -> Node:
    """The document without `$ref`: what stands beside a reference is merged over its target."""
    done: dict[str, Any] = {}

    def visit(node: Any, above: tuple[str, ...]) -> Any:
        if isinstance(node, list):
            return [visit(item, above) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        siblings = {key: visit(value, above) for key, value in node.items() if key != "$ref"}
        if not isinstance(reference, str):
            return {**siblings, "$ref": visit(reference, above)} if "$ref" in node else siblings
        if reference in above:
            raise UnusableFileError(f"{reference}: refers to itself; the mock reads no recursive schemas")
        if reference not in done:
            done[reference] = visit(resolve_reference(document, reference), (*above, reference))
        return merge_nodes(done[reference], siblings)

    result: Node = visit(document, ())
    return result


def resolve_reference(document: Node, reference: str) -> Any:
    """What a local reference such as `#/components/schemas/ServiceSlug` points to."""
    node: Any = document
    if not reference.startswith("#/"):
        raise UnusableFileError(f"{reference}: not a reference within the document; bring its target in")
    for part in reference[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            raise UnusableFileError(f"{reference}: points to nothing; mend the reference")
        node = node[key]
    return node


def merge_nodes(base: Any, over: Node) -> Any:
    """`base` with the keys of `over`; the `x-rules` of both count."""
    if not over or not isinstance(base, dict):
        return base
    result = {**base, **over}
    if isinstance(base.get("x-rules"), dict) and isinstance(over.get("x-rules"), dict):
        result["x-rules"] = {**base["x-rules"], **over["x-rules"]}
    return result


def iter_operations(document: Node) -> Iterator[tuple[str, str, Node, Node]]:
    """Path, method, path item and operation of each operation of an inlined document."""
    for path, item in (document.get("paths") or {}).items():
        for method in METHODS:
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                yield path, method, item, item[method]


def disable_rules(node: Node, off: frozenset[str]) -> Node:
    """A schema (or parameter) without what the rules in `off` say."""
    if not off:
        return node
    result: Node = {}
    for key, value in node.items():
        if isinstance(value, dict) and key != "x-rules":
            result[key] = disable_rules(value, off)
        elif isinstance(value, list) and key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
            result[key] = [
                disable_rules(branch, off) for branch in value if not _is_disabled_branch(branch, off)
            ]
        else:
            result[key] = value
    rules = node.get("x-rules")
    for keyword, rule in rules.items() if isinstance(rules, dict) else ():
        _disable_keyword(result, keyword, rule, off)
    return result


def _is_disabled_branch(branch: Any, off: frozenset[str]) -> bool:
    """Whether a branch is nothing but a permission that is switched off."""
    if not isinstance(branch, dict) or branch.get("type") != "null":
        return False
    return bool(off & set((branch.get("x-rules") or {}).values()))


def _disable_keyword(node: Node, keyword: str, rule: Any, off: frozenset[str]) -> None:
    if isinstance(rule, dict):
        node[keyword] = [name for name in node.get(keyword, ()) if rule.get(name) not in off]
    elif rule in off:
        opposite = _NEGATIONS.get((keyword, _hashable(node.get(keyword))))
        if opposite is None:
            node.pop(keyword, None)
        else:
            node[keyword] = opposite(node)


def _hashable(value: Any) -> object:
    return tuple(value) if isinstance(value, list) else value if isinstance(value, bool) else None


#: A permission is withdrawn by the opposite of its keyword; a constraint is dropped.
_NEGATIONS: dict[tuple[str, object], Callable[[Node], Any]] = {
    ("additionalProperties", True): lambda _: False,
    ("required", ()): lambda node: list(node.get("properties", ())),
    ("required", False): lambda _: True,
}


def iter_rule_ids(node: Any) -> Iterator[str]:
    """Each rule that stands beside a keyword of the node or of what lies within it."""
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
