"""The Markdown page of the choices: `docs/choices.md`."""

from mock_server.contract.choices import NUMBERS, Choice, Choices

_HEAD = """# What the pages leave open: the choices

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
_SHORT_NAMES = {"createContainer": "create", "updateContainer": "update", "readContainer": "read-back"}


def choices_markdown(choices: Choices) -> str:
    """Return the page: the number of choices, then one row per choice."""
    rows = [_choice_row(choice) for choice in choices.values()]
    head = ["| choice | question | options | on | seen with | why it is open |", "|---|---|---|---|---|---|"]
    return "\n".join([_HEAD, f"{len(choices)} choices.", "", *head, *rows, ""])


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
