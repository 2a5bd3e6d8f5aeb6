"""The Markdown page of the rules: `docs/rules.md`."""

from collections.abc import Iterable, Mapping

from mock_server.contract.model import GRADES, Operation, Rule

_HEAD = """# The rules

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
_SHORT_NAMES = {"createContainer": "create", "updateContainer": "update"}


def rules_markdown(rules: Mapping[str, Rule], operations: Iterable[Operation]) -> str:
    """Return the page: the number of rules by grade, then one row per rule."""
    operation_ids = [operation.id for operation in operations]
    counts = ", ".join(f"{sum(rule.grade == grade for rule in rules.values())} {grade}" for grade in GRADES)
    rows = [_rule_row(rule, operation_ids) for rule in rules.values()]
    head = ["| rule | says | kind | grade | on | status | source |", "|---|---|---|---|---|---|---|"]
    return "\n".join([_HEAD, f"{len(rules)} rules: {counts}.", "", *head, *rows, ""])


def _rule_row(rule: Rule, operation_ids: list[str]) -> str:
    operations = ", ".join(_SHORT_NAMES.get(name, name) for name in rule.operations if name in operation_ids)
    status = " or ".join(map(str, rule.status))
    if status and rule.status_grade:
        status += f" ({rule.status_grade})"
    needs = f" Seen through the {rule.needs}." if rule.needs else ""
    cells = (f"`{rule.id}`", rule.statement + needs, rule.kind, rule.grade, operations, status, rule.source)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
