"""A profile: the options that one deployment chose, as ``contract-tests calibrate`` writes them or a person does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_tests.contract.choices import Choice, Option, load_choices
from contract_tests.contract.files.file_shapes import check_shape, name_wanted
from contract_tests.contract.files.yaml_file import read_yaml


@dataclass(frozen=True, slots=True)
class ChosenOption:
    """The option of one choice; ``is_certain`` is false if a calibration had doubts."""

    option: Option
    evidence: str = ""
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """The options of a deployment by choice, and why the other choices could not be seen."""

    name: str
    options: Mapping[str, ChosenOption]
    not_seen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Departure:
    """A choice for which a deployment was seen to have another option than its profile says."""

    choice: str
    expected: Option
    seen: ChosenOption

    def __str__(self) -> str:
        """Return the departure as one line."""
        doubt = "" if self.seen.is_certain else " (not certain)"
        evidence = f": {self.seen.evidence}" if self.seen.evidence else ""
        return f"{self.choice}: was {self.expected}, is {self.seen.option}{doubt}{evidence}"

    def to_json(self) -> dict[str, Any]:
        """Return the departure as plain JSON values."""
        return {
            "choice": self.choice,
            "profile": self.expected,
            "seen": self.seen.option,
            "evidence": self.seen.evidence,
            "certain": self.seen.is_certain,
        }


def find_departures(profile: Profile, seen: Profile) -> tuple[Departure, ...]:
    """Return the choices that both have, and with different options, in the order of the profile."""
    return tuple(
        Departure(name, chosen.option, seen.options[name])
        for name, chosen in profile.options.items()
        if name in seen.options and seen.options[name].option != chosen.option
    )


def load_profile(path: Path) -> Profile:
    """Read a profile; raise ValueError with one line if it is unusable."""
    try:
        document = read_yaml(path)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; {name_wanted('profile')}") from None
    return parse_profile(document, path)


def parse_profile(document: Any, source: Path) -> Profile:
    """Return the profile in a document; raise ValueError for a choice or an option that there is not."""
    check_shape(document, "profile", source)
    choices = load_choices()
    options = {
        str(name): _parse_option(source, str(name), value, choices)
        for name, value in document["choices"].items()
    }
    return Profile(str(source), options, document.get("not_seen") or {})


def _parse_option(source: Path, name: str, value: Any, choices: Mapping[str, Choice]) -> ChosenOption:
    if name not in choices:
        raise ValueError(f"{source}: no choice has the id {name!r}; `mock-server choices` lists all")
    choice, known = choices[name], value if isinstance(value, Mapping) else {"option": value}
    option = known.get("option")
    if not choice.number and type(option) is int:
        option = str(option)  # YAML reads the option 4 of id-version as a number
    if isinstance(option, bool) or not isinstance(option, str | int) or not choice.allows(option):
        allowed = ", ".join(choice.options) or f"a number ({choice.number})"
        raise ValueError(f"{source}: {name}: got {option!r}, expected {allowed}")
    return ChosenOption(option, str(known.get("evidence") or ""), known.get("confidence", "high") == "high")
