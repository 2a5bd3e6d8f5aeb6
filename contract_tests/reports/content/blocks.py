"""Blocks: the findings with one cause, create and update together, and how to send them again."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from contract_tests.cases.model import Layer
from contract_tests.contract.rules import Rule
from contract_tests.results.examples import Example
from contract_tests.results.findings import Finding
from contract_tests.results.judge import SERVER_ERROR, Difference
from contract_tests.results.verdict import Report, RuleVerdict

Severity = Literal["failure", "known", "waived", "note"]
_SET_VARIABLE = (
    "Each curl command reads a variable: set it to the token of the caller that the command names."
)
#: Numbers and ids in the body of a server error, which differ in each response.
_NUMBERS = re.compile(r"[0-9a-fA-F]{8}[0-9a-fA-F-]*|\d+")
_WHERE = "The commands run in the folder where contract-tests was started."
_SERVE_APP = "The app of this process has no port: serve it at their host before you send them."
_NOT_WRITTEN = "No finding was written; with --report DIR, contract-tests replay can send each again."
OPERATIONS = {"createContainer": "create", "updateContainer": "update", "readContainer": "read"}


@dataclass(frozen=True, slots=True)
class Block:
    """Findings with one cause: of one rule for the same reason, or with the same server error."""

    findings: tuple[Finding, ...]

    @property
    def rule(self) -> Rule:
        """The rule, or the first of them."""
        return self.findings[0].rule

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The ids of all rules; several only for a server error."""
        return tuple(dict.fromkeys(finding.rule.id for finding in self.findings))

    @property
    def title(self) -> str:
        """The rule, and how many others there are, for a heading."""
        more = len(self.rule_ids) - 1
        return f"{self.rule.id}{f' and {more} more rule' if more else ''}{'s' if more > 1 else ''}"

    @property
    def id(self) -> str:
        """The cause that the findings have in common; the same in every run."""
        return self.findings[0].cause or self.findings[0].id

    @property
    def reason(self) -> str:
        """The reason, in words."""
        return self.findings[0].reason

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that found it."""
        return tuple(dict.fromkeys(layer for finding in self.findings for layer in finding.layers))

    @property
    def operations(self) -> str:
        """The operations, as ``create and update of an external service``."""
        names = " and ".join(dict.fromkeys(map(name_operation, self.findings)))
        (service_type, *others) = {finding.service_type for finding in self.findings}
        article = "an" if service_type == "external" else "a"
        return names if others or not service_type else f"{names} of {article} {service_type} service"

    @property
    def count(self) -> int:
        """The number of cases that showed it."""
        return sum(finding.count for finding in self.findings)

    @property
    def summary(self) -> str:
        """The value sent and the responses to it, or what happened, in one line."""
        example = next((one for finding in self.findings for one in finding.examples), None)
        if example is None or not example.received:
            return example.sent if example else self.findings[0].received
        responses = [
            (name_operation(finding), one.received)
            for finding in self.findings for one in finding.examples if one.sent == example.sent
        ]  # fmt: skip
        if len(responses) == 1:
            return format_example(example)
        return f"{example.sent} → {', '.join(f'{got} ({name})' for name, got in dict.fromkeys(responses))}"

    @property
    def story(self) -> str:
        """What happened, if a finding took several requests."""
        return next((finding.story for finding in self.findings if finding.story), "")

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The properties of a read-back that differ."""
        return next((finding.differences for finding in self.findings if finding.differences), ())

    def list_examples(self, finding: Finding) -> list[str]:
        """Return the different requests that showed a finding, without one that the block shows already."""
        lines = [format_example(one) for one in finding.examples if not self._tells(one)]
        return lines if len(finding.examples) > 1 or not self.differences else []

    def _tells(self, example: Example) -> bool:
        return self.story.startswith(example.sent) and not example.received

    def where(self) -> str:
        """Return the grade, the operations, the layers, and how often it was seen, for a heading."""
        times = f"; seen {self.count} times" if self.count > 1 else ""
        grades = ", ".join(dict.fromkeys(finding.rule.grade for finding in self.findings))
        return f"{grades}; {self.operations}; {', '.join(self.layers)}{times}"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """How findings can be sent again.

    ``folder`` is the report folder as the run names it, None if no file is written. ``options`` are those of
    ``contract-tests replay``, and ``command`` is how its reader calls it.
    """

    folder: str | None
    options: str
    command: str = "contract-tests"

    def file_of(self, finding: Finding) -> str:
        """Return the path of a finding's file; an empty string if it is not written."""
        return "" if self.folder is None else _join_path(self.folder, finding.file)

    def replay(self, finding: Finding) -> str:
        """Return the command that sends a finding again and judges the responses anew."""
        return f"{self.command} replay {shlex.quote(self.file_of(finding))} {self.options}"

    def commands(self, finding: Finding) -> list[str]:
        """Return the requests of a finding as curl commands."""
        return finding.list_commands(None if self.folder is None else _join_path(self.folder, "findings"))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader in the terminal of the run has to do before the commands work."""
        in_process = self.options.startswith("--target wsgi:")
        needed = {_SET_VARIABLE: True, _SERVE_APP: in_process, _NOT_WRITTEN: self.folder is None}
        return tuple(remark for remark, applies in needed.items() if applies)

    @property
    def page_remarks(self) -> tuple[str, ...]:
        """What the reader of a page has to do: the paths are those of the run, not of the page."""
        return (_WHERE, *self.remarks)


def plan_reproduction(report: Report, folder: str | None = ".", options: str = "") -> Reproduction:
    """Return how the findings of a report can be sent again; ``options`` name the target and the callers."""
    known = report.target.startswith(("http://", "https://", "wsgi:"))
    target = shlex.quote(report.target) if known else "URL"  # a recording is no target
    return Reproduction(folder, options or f"--target {target}")


def group_blocks(findings: Iterable[Finding]) -> tuple[Block, ...]:
    """Return the findings by cause, in their order."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        crashed = finding.reason == SERVER_ERROR
        what = _NUMBERS.sub("", finding.received) if crashed else finding.rule.id
        groups.setdefault((what, finding.severity, finding.reason), []).append(finding)
    return tuple(Block(tuple(group)) for group in groups.values())


def list_failing_blocks(findings: Iterable[Finding], verdicts: Iterable[RuleVerdict]) -> tuple[Block, ...]:
    """Return the blocks that fail a run."""
    waived = {row.rule.id for row in verdicts if row.verdict == "waived"}
    failing = (f for f in findings if f.severity == "failure" and f.rule.id not in waived)
    return group_blocks(failing)


def name_operation(finding: Finding) -> str:
    """Return the short name of a finding's operation."""
    return OPERATIONS.get(finding.operation, finding.operation)


def format_example(example: Example) -> str:
    """Return an example in one line: the value sent and the response, or what happened."""
    return f"{example.sent} → {example.received}" if example.received else example.sent


def _join_path(folder: str, name: str) -> str:
    return name if folder in ("", ".") else f"{folder.rstrip('/')}/{name}"
