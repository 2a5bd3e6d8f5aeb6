"""The contract as frozen values: rules, operations, schemas, and what a check reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import jsonschema_rs

from mock_server.contract.choices import Choices, Option
from mock_server.contract.property_names import PropertyNames

Node = dict[str, Any]

#: Path under which the mock and the proxy serve the operations of the contract.
BASE_PATH = "/api/v1"
STAGES = ("authentication", "team", "path", "media-type", "json", "shape", "state")
GRADES = ("documented", "provider", "assumed")
KINDS = ("constraint", "permission", "effect")


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of `rules.yaml`. The mock refuses with the first status; the others are equally valid."""

    id: str
    kind: str
    statement: str
    grade: str
    source: str
    operations: tuple[str, ...]
    stage: str = ""
    status: tuple[int, ...] = ()
    status_grade: str = ""
    needs: str = ""

    def with_status(self, status: int) -> "Rule":
        """Return the rule with another status of its refusal or success."""
        return replace(self, status=(status,))


#: Reported for a keyword that names no rule, as in a mutated document.
UNNAMED_RULE = Rule("unnamed", "constraint", "A keyword without a rule.", "assumed", "", (), "shape", (400,))


class Mismatch(NamedTuple):
    """The difference that a check found between a request and the contract.

    `location` is `header`, `path`, `body`, `state` or `response`; `pointer` is a JSON Pointer into it. `actual` and
    `expected` are short texts for people.
    """

    location: str
    pointer: str
    actual: str
    expected: str


class Violation(NamedTuple):
    """A mismatch with the rule that it breaks."""

    rule: Rule
    mismatch: Mismatch


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema without references, and its compiled validator; `keywords` caches details of broken keywords."""

    node: Node
    validator: jsonschema_rs.Draft202012Validator
    keywords: dict[tuple[str | int, ...], Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation; a request without it breaks `required_rule`."""

    name: str
    location: str
    required: bool
    required_rule: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its place, its request and its responses."""

    id: str
    method: str
    path: str
    secured: bool
    parameters: tuple[Parameter, ...]
    media_types: tuple[str, ...]
    body_required: bool
    body: Schema | None
    defaults: Mapping[str, Any]
    integers: tuple[str, ...]
    properties: PropertyNames
    success: int
    responses: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contract:
    """The operations of a document, its rules, the ids of disabled rules, and the document as loaded.

    `options` holds the option of each choice, by the id of the choice.
    """

    title: str
    version: str
    operations: tuple[Operation, ...]
    rules: Mapping[str, Rule]
    disabled_rules: frozenset[str]
    choices: Choices = field(repr=False)
    options: Mapping[str, Option]
    document: Node = field(repr=False, compare=False)

    def rule(self, rule_id: str) -> Rule:
        """Return the rule of that id, or `UNNAMED_RULE`."""
        return self.rules.get(rule_id, UNNAMED_RULE)

    def rule_enabled(self, rule_id: str) -> bool:
        """Return whether the mock enforces the rule."""
        return rule_id not in self.disabled_rules

    @property
    def unusual_options(self) -> dict[str, Option]:
        """The options that differ from the usual ones: those of the profile."""
        return {name: option for name, option in self.options.items() if option != self.choices[name].usual}

    @property
    def violation_ids(self) -> tuple[str, ...]:
        """The ids that a violation may have: those of the rules, and of the choices that the profile makes."""
        return (*self.rules, *self.unusual_options)

    @property
    def rules_disabled_by_profile(self) -> frozenset[str]:
        """The rules that the options disable."""
        found = (self.choices[name].disables.get(str(option)) for name, option in self.options.items())
        return frozenset().union(*(rules for rules in found if rules))

    def chosen(self, choice_id: str, option: Option) -> bool:
        """Return whether the mock behaves by this option of the choice."""
        return self.options[choice_id] == option

    def choice_rule(self, choice_id: str) -> Rule:
        """Return a refusal by an option as a rule: its status is that of other invalid bodies."""
        choice, status = self.choices[choice_id], int(self.options["invalid-body-status"])
        meaning = choice.options.get(str(self.options[choice_id]), "")
        statement, operations = f"{choice.question} {meaning}.", choice.operations
        return Rule(
            choice_id, "constraint", statement, "assumed", choice.source, operations, choice.stage, (status,)
        )
