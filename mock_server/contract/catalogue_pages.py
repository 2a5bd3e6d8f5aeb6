"""The Markdown pages of the catalogues: `docs/rules.md` and `docs/choices.md`."""

from collections.abc import Iterable, Mapping

from mock_server.contract.choices import NUMBERS, Choice, Choices
from mock_server.contract.model import GRADES, Operation, Rule

_RULES_HEAD = """# The rules

Generated from `spec/rules.yaml` by `make docs`; do not edit it by hand.

A rule has the same id everywhere: in the contract beside its keyword, in the mock's problem documents, in the
fixtures, in the suite's report.

- **Kind**: a request that breaks a *constraint* is refused. A request that uses a *permission* is accepted. An
  *effect* describes the response to an accepted request, or the values that it stores.
- **Grade**: a *documented* rule is on one of the two reference pages, a *provider* rule on another page of the
  provider. An *assumed* rule is on no page, so a deployment may differ.
- **Status**: the status of the refusal, or of the success for an effect. The first one is the mock's; the others
  conform equally. The word in brackets is the grade of the status. If it is *assumed*, any status of the same class
  conforms.
"""
_SHORT_NAMES = {"createContainer": "create", "updateContainer": "update", "readContainer": "read-back"}


def rules_markdown(rules: Mapping[str, Rule], operations: Iterable[Operation]) -> str:
    """Return the page: the number of rules by grade, then one row per rule."""
    operation_ids = [operation.id for operation in operations]
    counts = ", ".join(f"{sum(rule.grade == grade for rule in rules.values())} {grade}" for grade in GRADES)
    rows = [_rule_row(rule, operation_ids) for rule in rules.values()]
    head = ["| rule | says | kind | grade | on | status | source |", "|---|---|---|---|---|---|---|"]
    return "\n".join([_RULES_HEAD, f"{len(rules)} rules: {counts}.", "", *head, *rows, ""])


def _rule_row(rule: Rule, operation_ids: list[str]) -> str:
    operations = ", ".join(_SHORT_NAMES.get(name, name) for name in rule.operations if name in operation_ids)
    status = " or ".join(map(str, rule.status))
    if status and rule.status_grade:
        status += f" ({rule.status_grade})"
    needs = f" Seen through the {rule.needs}." if rule.needs else ""
    cells = (f"`{rule.id}`", rule.statement + needs, rule.kind, rule.grade, operations, status, rule.source)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


_CHOICES_HEAD = """# What the pages leave open: the choices

Generated from `spec/choices.yaml` by `make docs`; do not edit it by hand.

The reference pages document half of the behaviour. Each point that they leave open is a *choice*. A deployment may
choose any of its options and conforms. The mock chooses the *usual* option, which stands in bold.

A *profile* says how one deployment chose. It maps ids of choices to options; a choice that it leaves out keeps its
usual option:

```yaml
choices:
  invalid-body-status: 422
  unknown-properties: refused
  check-order: state-first
```

`mock-server --profile FILE` then behaves as this deployment, as does `create_app(profile=FILE)` in Python. A profile
can never change a rule that a page documents.

- **Options**: what a deployment may choose. `4xx` and `2xx` stand for any such status.
- **Seen with**: what it takes to see the choice of a deployment, beside one caller.
"""


def choices_markdown(choices: Choices) -> str:
    """Return the page: the number of choices, then one row per choice."""
    rows = [_choice_row(choice) for choice in choices.values()]
    head = ["| choice | question | options | on | seen with | why it is open |", "|---|---|---|---|---|---|"]
    return "\n".join([_CHOICES_HEAD, f"{len(choices)} choices.", "", *head, *rows, ""])


def _choice_row(choice: Choice) -> str:
    operations = ", ".join(_SHORT_NAMES[name] for name in choice.operations)
    needs = ", ".join(choice.needs)
    cells = (f"`{choice.id}`", choice.question, describe_options(choice), operations, needs, choice.source)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def describe_options(choice: Choice) -> str:
    """Return the options in Markdown, the usual one in bold."""
    if choice.number:
        words = NUMBERS[choice.number][2] if choice.number == "bytes" else choice.number
        return f"{words} (**{choice.usual}**)"
    return "; ".join(
        f"{f'**{option}**' if option == choice.usual else option}: {meaning}"
        for option, meaning in choice.options.items()
    )
