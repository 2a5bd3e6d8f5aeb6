"""A profile: the options that one deployment chose. It is YAML that maps ids of `spec/choices.yaml` to options."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mock_server.contract import document, resources
from mock_server.contract.choices import Choices, Option, usual_options
from mock_server.contract.model import Contract, Node, Operation, Rule
from mock_server.contract.resources import UnusableFileError
from mock_server.contract.suggestions import suggest_name, suggestion_suffix

#: A file, or its content; None stands for the usual options.
ProfileSource = Path | Mapping[str, Any] | None

#: The keys of a profile; `not_seen` is for people.
_KEYS = ("choices", "not_seen")
#: Options that withdraw a permission of the document, though code refuses what it permits.
_WITHDRAWN = {("unknown-properties", "refused"): frozenset({"unknown-properties-ignored"})}


def load_profile(source: ProfileSource, choices: Choices, rules: Mapping[str, Rule]) -> dict[str, Option]:
    """Return the option of every choice: that of the profile, or the usual one.

    `source` is a file or its content: `choices` maps the id of a choice to an option, or to a mapping with `option`
    and what is known about it. UnusableFileError names what is wrong; a profile can change no rule.
    """
    if source is None:
        return usual_options(choices)
    name = str(source) if isinstance(source, Path) else "profile"
    document = resources.read_yaml(source) if isinstance(source, Path) else source
    chosen = document.get("choices") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(chosen, Mapping):
        raise UnusableFileError(f"{name}: no mapping of choices; write one under `choices:`")
    unknown = next((key for key in document if key not in _KEYS), None)
    if unknown is not None:
        hint = suggestion_suffix(str(unknown), _KEYS)
        raise UnusableFileError(
            f"{name}: unknown key {str(unknown)[:40]!r}, expected {' or '.join(_KEYS)}{hint}"
        )
    given = {str(key): _parse_option(name, str(key), value, choices, rules) for key, value in chosen.items()}
    return {**usual_options(choices), **given}


def _parse_option(
    name: str, choice_id: str, value: object, choices: Choices, rules: Mapping[str, Rule]
) -> Option:
    if choice_id in rules:
        grade = rules[choice_id].grade
        raise UnusableFileError(f"{name}: {choice_id} is a rule ({grade}), and no choice; remove it")
    if choice_id not in choices:
        hint = suggest_name(choice_id, choices) or "docs/choices.md lists all"
        raise UnusableFileError(f"{name}: no choice has the id {choice_id!r}; {hint}")
    choice = choices[choice_id]
    option: Any = value.get("option") if isinstance(value, Mapping) else value
    if not choice.number and type(option) is int:
        option = str(option)  # YAML reads the option 4 of id-version as a number
    if not choice.allows(option):
        got = 'null (write "null" in quotes)' if option is None else repr(option)
        raise UnusableFileError(f"{name}: {choice_id}: got {got}, expected {choice.describe_options()}")
    return option if isinstance(option, int) else str(option)


def disabled_by(profile: Mapping[str, Option], choices: Choices) -> frozenset[str]:
    """Return the rules that a deployment with these options does not have."""
    chosen = (choices[choice_id].disables.get(str(option)) for choice_id, option in profile.items())
    return frozenset().union(*(rules for rules in chosen if rules))


def with_statuses(
    rules: Mapping[str, Rule], profile: Mapping[str, Option], choices: Choices
) -> dict[str, Rule]:
    """Return the rules with the statuses of the profile; a rule keeps its statuses where the option is usual."""
    changed = dict(rules)
    for choice in choices.values():
        option = profile[choice.id]
        if choice.is_status and option != choice.usual:
            known = (rule_id for rule_id in choice.rules if rule_id in rules)
            changed |= {rule_id: rules[rule_id].with_status(int(option)) for rule_id in known}
    return changed


def with_declared_statuses(
    operation: Operation, profile: Mapping[str, Option], choices: Choices
) -> Operation:
    """Return the operation with the statuses of the profile declared, and with that of its success."""
    for choice in choices.values():
        option = profile[choice.id]
        if choice.is_status and operation.id in choice.operations and option != choice.usual:
            usual = operation.responses.get(str(choice.usual), {})
            declared = {str(option): usual, **operation.responses}
            success = int(option) if choice.number == "2xx" else operation.success
            operation = replace(operation, responses=declared, success=success)
    return operation


def declare_profile(contract: Contract) -> Node:
    """Return the document of a contract as a deployment with its profile would publish it.

    It has the statuses of the profile and no keyword of a rule that the profile disables; `x-profile` lists all
    options of the profile, since a document cannot express each.
    """
    options = contract.unusual_options
    if not options:
        return contract.document
    withdrawn = (rules for choice, rules in _WITHDRAWN.items() if contract.chosen(*choice))
    disabled = contract.rules_disabled_by_profile.union(*withdrawn)
    published = document.disable_rules(contract.document, disabled)
    items = {path: _declare_statuses(contract, item) for path, item in (published.get("paths") or {}).items()}
    return {**published, "paths": items, "x-profile": dict(options)}


def _declare_statuses(contract: Contract, item: Any) -> Any:
    """Return a path item whose operations declare the statuses of the profile."""
    if not isinstance(item, dict):
        return item
    declared = dict(item)
    for method, operation in item.items():
        if method in document.METHODS and isinstance(operation, dict):
            declared[method] = {**operation, "responses": _replace_statuses(contract, operation)}
    return declared


def _replace_statuses(contract: Contract, operation: Node) -> Node:
    responses = {str(code): response for code, response in (operation.get("responses") or {}).items()}
    operation_id, usual_responses = operation.get("operationId"), dict(responses)
    needed = {
        str(rule.status[0])
        for rule in contract.rules.values()
        if operation_id in rule.operations and rule.status
    }
    for choice in contract.choices.values():
        if not choice.is_status or operation_id not in choice.operations:
            continue
        usual, option = str(choice.usual), str(contract.options[choice.id])
        if option == usual:
            continue
        responses.setdefault(option, usual_responses.get(usual, {"description": choice.question}))
        if usual not in needed:
            responses.pop(usual, None)
    return dict(sorted(responses.items()))
