"""A contract of the user: the requests of the kit's cases that it judges otherwise are not sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from contract_tests.cases.building.boundaries import find_broken_rules
from contract_tests.cases.model import Step
from contract_tests.cases.value_templates import SlugFactory, fill_templates
from contract_tests.contract.constraint_rules import check_constraint_rules
from contract_tests.contract.rules import Catalogue
from contract_tests.contract.spec import Spec, load_spec

SAYS_OTHERWISE = "the contract of --spec judges these requests otherwise than the reference pages"

_SLUGS = SlugFactory()
#: A validator and its schema.
_Checker = tuple[Any, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class OwnContract:
    """The schemas of the kit and of the user, of each operation whose bodies differ in them."""

    checkers: Mapping[str, tuple[_Checker, _Checker]]

    def contradicts(self, step: Step, rule: str) -> bool:
        """Return whether the expectation of a step rests on the kit's schema alone."""
        if step.operation not in self.checkers or not isinstance(step.body, dict) or step.expect == "open":
            return False
        body = step.body if step.as_is else fill_templates(step.body, _SLUGS.new_slug)
        body = {"service_slug": "a-slug", **body} if step.operation == "createContainer" else body
        kits, own = (find_broken_rules(*checker, body) for checker in self.checkers[step.operation])
        if step.expect == "refuse":
            return bool(own - kits - {rule}) or rule in kits - own
        return bool(own - kits)


def compare_contract(spec: Spec, catalogue: Catalogue) -> OwnContract:
    """Return the contract of the user beside that of the kit.

    Raise ValueError for a schema that is none, or that has a constraint without a rule of the catalogue.
    """
    pairs = {
        name: (kits.body_schema, spec.operations[name].body_schema)
        for name, kits in load_spec().operations.items()
        if name in spec.operations and spec.operations[name].body_schema != kits.body_schema
    }
    checkers = {
        name: (_check(kits, name), _check(own, f"{spec.path}: {name}/body"))
        for name, (kits, own) in pairs.items()
    }
    for name, (_, own) in pairs.items():
        check_constraint_rules(own, catalogue, f"{spec.path}: {name}/body")
    return OwnContract(checkers)


def _check(schema: Mapping[str, Any], place: str) -> _Checker:
    try:
        return jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True), schema
    except jsonschema_rs.ValidationError as error:
        path = "/".join((place, *map(str, error.instance_path)))
        raise ValueError(f"{path}: not a JSON Schema: {error.message}; correct it") from error
