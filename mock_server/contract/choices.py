"""The choices: what the reference pages leave open, as `spec/choices.yaml` lists it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mock_server.contract import resources
from mock_server.contract.resources import UnusableFileError

#: Options that are numbers: the least and the greatest one, and what they are for people.
NUMBERS = {
    "2xx": (200, 299, "a status from 200 to 299"),
    "4xx": (400, 499, "a status from 400 to 499"),
    "bytes": (16_384, 1_073_741_824, "a number of bytes, at least 16384"),
}
#: The option of a choice: a name, or a number.
Option = str | int


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of `choices.yaml`.

    `options` maps each option to its meaning, and `disables` the options to the rules that they disable. Where the
    options are numbers, `number` is a key of NUMBERS and both are empty. `lenient` is the option that accepts most.
    """

    id: str
    question: str
    options: Mapping[str, str]
    disables: Mapping[str, frozenset[str]]
    number: str
    usual: Option
    lenient: Option
    operations: tuple[str, ...]
    stage: str
    rules: tuple[str, ...]
    needs: tuple[str, ...]
    source: str

    @property
    def is_status(self) -> bool:
        """True if the options are statuses: those of the refusals by `rules`, or of their success."""
        return self.number in ("2xx", "4xx")

    def allows(self, option: object) -> bool:
        """Return whether a deployment may choose this option."""
        if not self.number:
            return isinstance(option, str) and option in self.options
        least, greatest, _ = NUMBERS[self.number]
        return type(option) is int and least <= option <= greatest

    def describe_options(self) -> str:
        """Return the options in words."""
        return NUMBERS[self.number][2] if self.number else "one of " + ", ".join(self.options)


Choices = Mapping[str, Choice]


def load_choices(path: Path | None = None) -> dict[str, Choice]:
    """Return the choices by id, in the order of the file; raise UnusableFileError for an invalid entry."""
    path = path or resources.find_resource("spec/choices.yaml")
    document = resources.read_yaml(path)
    entries = document.get("choices") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise UnusableFileError(f"{path}: no list of choices; write one under `choices:`")
    choices: dict[str, Choice] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            choice = _parse_choice(entry)
        except (AttributeError, KeyError, TypeError) as error:
            raise UnusableFileError(
                f"{path}: entry {number} is not a choice: {error!r}; correct it"
            ) from error
        if choice.id in choices:
            raise UnusableFileError(f"{path}: {choice.id} is there twice; remove one")
        for option in (choice.usual, choice.lenient):
            if not choice.allows(option):
                raise UnusableFileError(f"{path}: {choice.id} has no such option {option!r}; correct it")
        choices[choice.id] = choice
    return choices


def _parse_choice(entry: Mapping[str, Any]) -> Choice:
    given = entry["options"]
    number = given if isinstance(given, str) else ""
    if number and number not in NUMBERS:
        raise KeyError(number)
    options = {} if number else {str(name): _meaning(option) for name, option in given.items()}
    disables = {
        str(name): frozenset(option.get("disables", ()))
        for name, option in ({} if number else given).items()
        if isinstance(option, Mapping)
    }
    return Choice(
        id=entry["id"],
        question=entry["question"],
        options=options,
        disables=disables,
        number=number,
        usual=entry["usual"],
        lenient=entry.get("lenient", entry["usual"]),
        operations=tuple(entry["operations"]),
        stage=entry["stage"],
        rules=tuple(entry["rules"]),
        needs=tuple(entry["needs"]),
        source=entry["source"],
    )


def _meaning(option: str | Mapping[str, Any]) -> str:
    return str(option["meaning"]) if isinstance(option, Mapping) else option


def usual_options(choices: Choices) -> dict[str, Option]:
    """Return the options of the mock without a profile."""
    return {choice.id: choice.usual for choice in choices.values()}


def lenient_options(choices: Choices) -> dict[str, Option]:
    """Return the options of a deployment that accepts all that the pages leave open."""
    return {choice.id: choice.lenient for choice in choices.values()}
