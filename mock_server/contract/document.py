"""An OpenAPI document as plain data: references inlined, rules switched off."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mock_server.contract.resources import UnusableFileError

Node = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def inlined(document: Node) -> Node:
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
            done[reference] = visit(target(document, reference), (*above, reference))
        return merged(done[reference], siblings)

    result: Node = visit(document, ())
    return result


def target(document: Node, reference: str) -> Any:
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


def merged(base: Any, over: Node) -> Any:
    """`base` with the keys of `over`; the `x-rules` of both count."""
    if not over or not isinstance(base, dict):
        return base
    result = {**base, **over}
    if isinstance(base.get("x-rules"), dict) and isinstance(over.get("x-rules"), dict):
        result["x-rules"] = {**base["x-rules"], **over["x-rules"]}
    return result


def operations(document: Node) -> Iterator[tuple[str, str, Node, Node]]:
    """Path, method, path item and operation of each operation of an inlined document."""
    for path, item in (document.get("paths") or {}).items():
        for method in METHODS:
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                yield path, method, item, item[method]


def switched_off(node: Node, off: frozenset[str]) -> Node:
    """A schema (or parameter) without what the rules in `off` say."""
    if not off:
        return node
    result: Node = {}
    for key, value in node.items():
        if isinstance(value, dict) and key != "x-rules":
            result[key] = switched_off(value, off)
        elif isinstance(value, list) and key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
            result[key] = [switched_off(branch, off) for branch in value if not _withdrawn(branch, off)]
        else:
            result[key] = value
    rules = node.get("x-rules")
    for keyword, rule in rules.items() if isinstance(rules, dict) else ():
        _switch_off(result, keyword, rule, off)
    return result


def _withdrawn(branch: Any, off: frozenset[str]) -> bool:
    """Whether a branch is nothing but a permission that is switched off."""
    if not isinstance(branch, dict) or branch.get("type") != "null":
        return False
    return bool(off & set((branch.get("x-rules") or {}).values()))


def _switch_off(node: Node, keyword: str, rule: Any, off: frozenset[str]) -> None:
    if isinstance(rule, dict):
        node[keyword] = [name for name in node.get(keyword, ()) if rule.get(name) not in off]
    elif rule in off:
        opposite = _OPPOSITES.get((keyword, _hashable(node.get(keyword))))
        if opposite is None:
            node.pop(keyword, None)
        else:
            node[keyword] = opposite(node)


def _hashable(value: Any) -> object:
    return tuple(value) if isinstance(value, list) else value if isinstance(value, bool) else None


#: A permission is withdrawn by the opposite of its keyword; a constraint is dropped.
_OPPOSITES: dict[tuple[str, object], Callable[[Node], Any]] = {
    ("additionalProperties", True): lambda _: False,
    ("required", ()): lambda node: list(node.get("properties", ())),
    ("required", False): lambda _: True,
}


def named_rules(node: Any) -> Iterator[str]:
    """Each rule that stands beside a keyword of the node or of what lies within it."""
    if isinstance(node, dict):
        rules = node.get("x-rules")
        yield from _rules_of(rules.values() if isinstance(rules, dict) else ())
        for key, value in node.items():
            if key != "x-rules":
                yield from named_rules(value)
    elif isinstance(node, list):
        for item in node:
            yield from named_rules(item)


def _rules_of(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, dict):
            yield from value.values()
        else:
            yield value
