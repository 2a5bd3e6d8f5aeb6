"""The choices: what the reference pages leave open, as `spec/choices.yaml` lists it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from contract_tests.contract.files.yaml_file import read_yaml
from contract_tests.contract.resources import data_file

#: Options that are numbers: the least and the greatest one.
_NUMBERS = {"2xx": (200, 299), "4xx": (400, 499), "bytes": (16_384, 1_073_741_824)}
#: The option of a choice: a name, or a number.
Option = str | int


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of ``choices.yaml``; ``number`` is a key of the ranges where the options are numbers.

    ``disables`` are the rules that a deployment with one of the options does not have.
    """

    id: str
    question: str
    options: tuple[str, ...]
    number: str
    usual: Option
    operations: tuple[str, ...]
    rules: tuple[str, ...]
    needs: tuple[str, ...]
    stage: str = ""
    disables: frozenset[str] = frozenset()

    @property
    def is_refusal_status(self) -> bool:
        """True if the options are the statuses of a refusal."""
        return self.number == "4xx"

    def allows(self, option: Option) -> bool:
        """Return whether a deployment may choose this option."""
        if not self.number:
            return option in self.options
        least, greatest = _NUMBERS[self.number]
        return isinstance(option, int) and least <= option <= greatest


def list_deciding_choices(rule: str, choices: Mapping[str, Choice]) -> tuple[str, ...]:
    """Return the choices that decide whether a deployment follows an assumed rule."""
    return tuple(
        choice.id
        for choice in choices.values()
        if choice.number not in ("2xx", "4xx") and rule in choice.rules
    )


def number_bounds(number: str) -> tuple[int, int]:
    """Return the least and the greatest option of a choice whose options are numbers."""
    return _NUMBERS[number]


@cache
def load_choices(path: Path | None = None) -> Mapping[str, Choice]:
    """Return the choices by id, in the order of the file; raise ValueError for an unreadable entry."""
    file = path or data_file("spec/choices.yaml")
    document = read_yaml(file)
    entries = document.get("choices") if isinstance(document, Mapping) else None
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ValueError(f"{file} has no list of choices; see spec/choices.yaml for an example")
    try:
        return MappingProxyType({choice.id: choice for choice in map(_parse_choice, entries)})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file}: an entry is no choice: {error!r}") from None


def _parse_choice(entry: Mapping[str, Any]) -> Choice:
    given = entry["options"]
    number = given if isinstance(given, str) else ""
    if number and number not in _NUMBERS:
        raise KeyError(number)
    lists = {key: tuple(entry[key]) for key in ("operations", "rules", "needs")}
    options = () if number else tuple(map(str, given))
    meanings = [] if number else [meaning for meaning in given.values() if isinstance(meaning, Mapping)]
    disables = frozenset(rule for meaning in meanings for rule in meaning.get("disables", ()))
    return Choice(
        entry["id"], entry["question"], options, number, entry["usual"], **lists,
        stage=entry["stage"], disables=disables,
    )  # fmt: skip
