"""Cases from the tables in ``fixtures/``."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import yaml

from contract_tests.cases.callers import CREDENTIAL_KINDS
from contract_tests.cases.model import NO_SLUG, SHARED_PREFIX, Case, Layer, Step
from contract_tests.contract.resources import data_file
from contract_tests.contract.rules import Catalogue

_STEP_KEYS = {
    "operation",
    "caller",
    "team",
    "body",
    "raw",
    "slug",
    "service",
    "path",
    "status",
    "expect",
    "rule",
    "style",
    "choice",
}
ABSENT = {"absent": True}


def load_bodies() -> Mapping[str, Any]:
    """Return the named bodies."""
    named_bodies: dict[str, Any] = _load_table("bodies")
    return named_bodies


def load_fixture_cases(catalogue: Catalogue) -> list[Case]:
    """Return every case of the tables: values of single properties, single requests, scenarios."""
    named_bodies = load_bodies()
    cases = _number_cases(
        case for row in _load_table("shape") for case in build_value_cases(row, catalogue, named_bodies)
    )
    cases += [_parse_case(entry, named_bodies, "wire") for entry in _load_table("requests")]
    cases += [_parse_case(entry, named_bodies, "lifecycle") for entry in _load_table("state")]
    return cases


def build_value_cases(
    row: Mapping[str, Any], catalogue: Catalogue, named_bodies: Mapping[str, Any]
) -> Iterator[Case]:
    """Yield one case per value and operation of a row like those of ``fixtures/shape.yaml``."""
    service_type, source = row.get("body", "deployed"), row.get("from", "")
    for operation in row.get("operations", catalogue[row["rule"]].operations):
        short = "create" if operation == "createContainer" else "update"
        for expect in ("refuse", "accept", "open"):
            for number, value in enumerate(row.get(expect, ()), 1):
                body = dict(named_bodies[service_type]) if operation == "createContainer" else {}
                no_slug = value == ABSENT and row["property"] == "service_slug"
                if value == ABSENT:
                    body.pop(row["property"], None)
                else:
                    body[row["property"]] = value
                name = f"{row['rule']}/{short}-{service_type}-{expect}-{source}{number}"
                slug = NO_SLUG if no_slug else None
                choice = _find_choice(row, operation, value) if expect == "open" else ""
                service = SHARED_PREFIX + service_type
                step = Step(operation, body=body, slug=slug, service=service, expect=expect, choice=choice)
                key = (operation, service_type, row["property"])
                yield Case(name, row["rule"], "cases", (step,), value=key)


def _find_choice(row: Mapping[str, Any], operation: str, value: Any) -> str:
    """Return the choice of an open value: the one about its null, or that of the row."""
    return find_null_choice(operation, value) or str(row.get("choice", ""))


def find_null_choice(operation: str, value: Any) -> str:
    """Return the choice about the null that a value of a property is or holds; an empty text if there is no null."""
    if value is None:
        return "null-on-create" if operation == "createContainer" else "null-on-update"
    items = value if isinstance(value, list) else ()
    if None in items:
        return "null-items"
    holds_null = any(isinstance(item, Mapping) and None in item.values() for item in items)
    return "null-item-properties" if holds_null else ""


def _number_cases(cases: Iterable[Case]) -> list[Case]:
    """Return the cases with consecutive numbers per rule, since a rule may have several rows."""
    counts: Counter[str] = Counter()
    numbered = []
    for case in cases:
        name = case.id.rpartition("-")[0]
        counts[name] += 1
        numbered.append(replace(case, id=f"{name}-{counts[name]}"))
    return numbered


def _parse_case(entry: Mapping[str, Any], named_bodies: Mapping[str, Any], layer: Layer) -> Case:
    single = {key: value for key, value in entry.items() if key != "rule"}
    steps = [_parse_step(step, named_bodies) for step in entry.get("steps", (single,))]
    if "given" in entry:
        caller = choose_creator(steps[-1].caller)
        if layer == "wire":
            steps = [replace(step, service=SHARED_PREFIX + entry["given"]) for step in steps]
        else:
            steps.insert(0, Step(body=named_bodies[entry["given"]], caller=caller))
    last = steps[-1]
    if last.expect is None and last.operation != "readContainer":
        raise ValueError(f"fixtures: {entry['id']}: the last step has no expectation")
    return Case(entry["id"], entry["rule"], layer, tuple(steps))


def choose_creator(role: str) -> str:
    """Return the role that creates the service that ``role`` updates: itself if it can, else team red."""
    return role if role.startswith((*CREDENTIAL_KINDS, "jwt")) else "red"


def _parse_step(entry: Mapping[str, Any], named_bodies: Mapping[str, Any]) -> Step:
    operation = entry.get("operation", "createContainer")
    plain = {key: entry[key] for key in _STEP_KEYS & entry.keys()}
    body = entry.get("body", "deployed" if operation == "createContainer" else "empty")
    if isinstance(body, str) and body in named_bodies:
        body = {**named_bodies[body], **entry.get("set", {})}
        for name in entry.get("unset", ()):
            body.pop(name, None)
    plain["body"] = body if operation in ("createContainer", "updateContainer") else None
    plain["headers"] = tuple(entry.get("headers", {}).items())
    plain["shows"] = tuple(entry.get("shows", {}).items())
    plain["as_"] = entry.get("as", "service")
    if plain.get("caller", "any") == "any":
        plain["caller"] = "red"
    return Step(**plain)


@cache
def _load_table(name: str) -> Any:
    return yaml.load(data_file(f"fixtures/{name}.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
