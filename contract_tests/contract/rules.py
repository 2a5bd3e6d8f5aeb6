"""The rules of the contract: what each one states, and its grade."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from contract_tests.contract.files.file_shapes import check_shape
from contract_tests.contract.files.yaml_file import read_yaml
from contract_tests.contract.resources import data_file

Grade = Literal["documented", "provider", "assumed"]
Kind = Literal["constraint", "permission", "effect"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the contract; the fields are those of ``spec/rules.yaml``."""

    id: str
    kind: Kind
    statement: str
    grade: Grade
    source: str
    operations: tuple[str, ...]
    stage: str | None = None
    status: tuple[int, ...] = ()
    status_grade: Grade | None = None
    needs: str | None = None

    @property
    def exact_status(self) -> tuple[int, ...]:
        """The statuses that a refusal must have, empty if any 4xx is correct."""
        return self.status if self.kind == "constraint" and self.status_grade != "assumed" else ()


Catalogue = Mapping[str, Rule]


def load_catalogue(path: Path | None = None) -> Catalogue:
    """Return the rules by id, in the order of the file; raise ValueError for an unreadable entry."""
    file = path or data_file("spec/rules.yaml")
    document = read_yaml(file)
    entries = document.get("rules") if isinstance(document, Mapping) else None
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ValueError(f"{file} has no list of rules; see spec/rules.yaml for an example")
    if path:
        check_shape({"rules": entries}, "rules", file)
    return {rule.id: rule for rule in map(_parse_rule, entries)}


def _parse_rule(entry: Mapping[str, Any]) -> Rule:
    lists = {key: tuple(entry[key]) for key in ("operations", "status") if key in entry}
    try:
        return Rule(**{**entry, **lists})
    except TypeError as error:
        raise ValueError(f"rules.yaml, {entry.get('id', entry)}: {error}") from None
