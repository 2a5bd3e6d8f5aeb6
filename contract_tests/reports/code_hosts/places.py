"""Places of the findings in the contract: the file and the line that state the rule of each."""

from dataclasses import dataclass
from pathlib import Path

from contract_tests.contract.lines import CHOICES_FILE, find_choice_line, find_rule_line, name_contract
from contract_tests.results.findings import Finding


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, counted from 1; ``path`` is relative to the repository, with slashes."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class RulePlaces:
    """Finds the lines of rules in a contract, the kit's own by default: those that all reports name."""

    spec: Path | None = None

    def find_finding(self, finding: Finding) -> Place:
        """Return the place that the finding names; that of its rule if it names none."""
        return self._parse(finding.line) or self.find(finding.rule.id, finding.operation)

    def find(self, rule: str, operation: str = "createContainer") -> Place:
        """Return the place of a rule; the first line of the contract if it names the rule nowhere."""
        found = self._parse(find_rule_line(rule, operation, spec=self.spec))
        return found or Place(name_contract(self.spec), 1)

    def find_choice(self, choice: str) -> Place:
        """Return the place of a choice: its entry in choices.yaml, or the first line of that file."""
        return self._parse(find_choice_line(choice)) or Place(CHOICES_FILE, 1)

    @staticmethod
    def _parse(text: str) -> Place | None:
        path, _, number = text.rpartition(":")
        return Place(path, int(number)) if path and number.isdecimal() else None
