"""Waivers: known violations that do not fail a run, each with a reason and a last day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from contract_tests.contract.files.file_shapes import check_shape
from contract_tests.contract.files.yaml_file import read_yaml
from contract_tests.contract.rules import Catalogue


class WaiversError(ValueError):
    """An unusable waivers file; the message is one line that says how to fix it."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """One waived rule; ``until`` is the last day of the waiver."""

    rule: str
    reason: str
    until: date

    @property
    def expired(self) -> bool:
        """True if the last day is over."""
        return datetime.now(UTC).date() > self.until

    def to_json(self) -> list[str]:
        """Return the waiver as plain JSON values, for the state of a run."""
        return [self.rule, self.reason, self.until.isoformat()]

    @classmethod
    def from_json(cls, data: list[str]) -> "Waiver":
        """Return the waiver that ``to_json`` wrote; raise ValueError for anything else."""
        rule, reason, until = data
        return cls(rule, reason, date.fromisoformat(until))


def load_waivers(path: Path, catalogue: Catalogue) -> dict[str, Waiver]:
    """Read a YAML list of ``rule``, ``reason``, ``until``; raise WaiversError if it is unusable."""
    try:
        entries = read_yaml(path)
        check_shape(entries, "waivers", path)
    except OSError as error:
        raise WaiversError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise WaiversError(f"{error}; write a list of rule, reason and until") from None
    waivers = [_parse_waiver(path, entry, catalogue) for entry in entries]
    return {waiver.rule: waiver for waiver in waivers}


def _parse_waiver(path: Path, entry: Mapping[str, Any], catalogue: Catalogue) -> Waiver:
    if entry["rule"] not in catalogue:
        close = get_close_matches(entry["rule"], catalogue, n=1)
        hint = f"did you mean {close[0]}?" if close else "`mock-server rules` lists them"
        raise WaiversError(f"{path}: unknown rule {entry['rule']!r}; {hint}")
    if not str(entry["reason"] or "").strip():
        raise WaiversError(f"{path}: {entry['rule']}: the reason is empty; say why the rule is waived")
    until = entry["until"]
    try:
        if isinstance(until, datetime):  # a date, too, but one that cannot be compared with others
            until = until.date()
        day = until if isinstance(until, date) else date.fromisoformat(str(until))
    except ValueError:
        raise WaiversError(
            f"{path}: {entry['rule']}: until {until!r} is not a date such as 2027-01-31"
        ) from None
    return Waiver(entry["rule"], str(entry["reason"]), day)
