"""Bodies that both contracts accept, and the opinion of both schemas on any other body.

The opinion only says which requests are worth playing first; the mocks decide.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

import jsonschema_rs

from contract_tests.cases.model import OperationId
from contract_tests.cases.tables import load_bodies
from contract_tests.contract.spec import Operation
from contract_tests.evolution.values import draw_texts, list_values

ServiceType = Literal["deployed", "external"]
TYPES: tuple[ServiceType, ...] = ("deployed", "external")
CREATE: OperationId = "createContainer"
UPDATE: OperationId = "updateContainer"
SLUG = "service_slug"
Body = dict[str, Any]

_MAX_REPAIRS = 20
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(slots=True)
class BodyWriter:
    """Writes bodies for two contracts, whose operations it has by id, the old ones first; ``seed`` draws texts."""

    old: Mapping[str, Operation]
    new: Mapping[str, Operation]
    seed: int
    _named: Mapping[str, Any] = field(default_factory=load_bodies)
    _validators: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    _bases: dict[tuple[OperationId, ServiceType], list[Body]] = field(default_factory=dict)
    _examples: dict[tuple[OperationId, str, tuple[int, ...]], Any] = field(default_factory=dict)
    _slugs: Iterator[str] | None = None

    def schemas(self, operation: OperationId) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return the schemas of the body of an operation, the old one and the new one."""
        return self.old[operation].body_schema, self.new[operation].body_schema

    def property_schemas(self, operation: OperationId, name: str) -> list[Any]:
        """Return the schemas of a property, where the contracts have it."""
        found = (schema.get("properties", {}).get(name) for schema in self.schemas(operation))
        return [schema for schema in found if schema is not None]

    def judge(self, operation: OperationId, body: Any) -> tuple[bool, bool]:
        """Return whether the old and the new schema accept a body."""
        old, new = self._open_validators(operation)
        return old.is_valid(body), new.is_valid(body)

    def new_slug(self) -> str:
        """Return another slug that both contracts accept, if there is one."""
        if self._slugs is None:
            self._slugs = self._choose_slugs()
        return next(self._slugs)

    def list_bases(self, operation: OperationId, service_type: ServiceType) -> list[Body]:
        """Return the plain body for a type that both contracts accept; without one, that of each contract."""
        key = (operation, service_type)
        if key not in self._bases:
            self._bases[key] = self._build_bases(operation, service_type)
        return [{**body, SLUG: self.new_slug()} if SLUG in body else body for body in self._bases[key]]

    def _build_bases(self, operation: OperationId, service_type: ServiceType) -> list[Body]:
        plain = {**self._named[service_type], SLUG: self.new_slug()} if operation == CREATE else {}
        both = self._repair(operation, plain, (0, 1))
        if both is not None:
            return [both]
        alone = [self._repair(operation, plain, (side,)) for side in (0, 1)]
        return [body for body in alone if body is not None]

    def find_base(self, service_type: ServiceType) -> Body | None:
        """Return a body with which both contracts create a service, or None."""
        bases = self.list_bases(CREATE, service_type)
        return bases[0] if bases and self.judge(CREATE, bases[0]) == (True, True) else None

    def find_example(self, operation: OperationId, name: str, sides: tuple[int, ...] = (0, 1)) -> Any:
        """Return a value of a property that the contracts of these sides accept if possible."""
        key = (operation, name, sides)
        if key not in self._examples:
            self._examples[key] = self._choose_example(operation, name, sides)
        return self._examples[key]

    def _choose_example(self, operation: OperationId, name: str, sides: tuple[int, ...]) -> Any:
        known = [self._named[f"{kind}-full"].get(name) for kind in TYPES]
        schemas = self.property_schemas(operation, name)
        values = list_values(name, schemas, [v for v in known if v is not None], self.seed)
        wanted = [self.schemas(operation)[side].get("properties", {}).get(name, {}) for side in sides]
        valid = [jsonschema_rs.validator_for(schema, validate_formats=True).is_valid for schema in wanted]
        rated = sorted(values, key=lambda value: -sum(is_valid(value) for is_valid in valid))
        return rated[0] if rated else "x"

    def _repair(self, operation: OperationId, body: Body, sides: tuple[int, ...]) -> Body | None:
        """Return the body, changed until the schemas of these sides accept it, or None."""
        validators = [self._open_validators(operation)[side] for side in sides]
        for _ in range(_MAX_REPAIRS):
            error = next((e for validator in validators for e in validator.iter_errors(body)), None)
            if error is None:
                return body
            body = self._mend(operation, body, error, sides)
        return None

    def _mend(self, operation: OperationId, body: Body, error: Any, sides: tuple[int, ...]) -> Body:
        """Return the body without one error: a property is added, replaced or left out."""
        if error.kind.name == "required" and not list(error.instance_path):
            name = error.kind.property
            return {
                **body,
                name: self.new_slug() if name == SLUG else self.find_example(operation, name, sides),
            }
        names = [str(part) for part in error.instance_path][:1] or getattr(error.kind, "unexpected", [])
        rest = {key: value for key, value in body.items() if key not in names}
        for name in names:
            example = self.find_example(operation, name, sides) if name in body else None
            if name != SLUG and example is not None and json.dumps(example) != json.dumps(body[name]):
                rest[name] = example
        return rest

    def _open_validators(self, operation: OperationId) -> tuple[Any, Any]:
        if operation not in self._validators:
            old, new = (
                jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)
                for schema in self.schemas(operation)
            )
            self._validators[operation] = old, new
        return self._validators[operation]

    def _choose_slugs(self) -> Iterator[str]:
        """Return an endless iterator of slugs of the first form that both contracts accept."""
        schemas = self.property_schemas(CREATE, SLUG)
        validators = [jsonschema_rs.validator_for(schema, validate_formats=True) for schema in schemas]

        def are_valid(slug: str) -> bool:
            return all(validator.is_valid(slug) for validator in validators)

        forms = ("ck-{}", "{}", "0{}", "{}0", "ck{}0", "0{}0")
        form = next((form for form in forms if are_valid(form.format(_write_letters(0)))), "")
        if form:
            return (form.format(_write_letters(number)) for number in count())
        if are_valid("1" * 9):
            return (str(number) for number in count(10**8))
        patterns = [schema["pattern"] for schema in schemas if "pattern" in schema]
        drawn = [text for pattern in patterns for text in draw_texts(pattern, self.seed) if are_valid(text)]
        return iter([*dict.fromkeys(drawn), *(f"ck-{_write_letters(number)}" for number in range(100_000))])


def _write_letters(number: int) -> str:
    """Return a number as six letters, since digits may be refused."""
    text = ""
    for _ in range(6):
        number, rest = divmod(number, len(_LETTERS))
        text = _LETTERS[rest] + text
    return text
