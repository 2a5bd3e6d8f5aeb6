"""Findings: deduplicated violations, with everything that is needed to reproduce them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from contract_tests.cases.model import Case, Layer, case_from_json, case_to_json
from contract_tests.contract.files.file_shapes import load_json_file
from contract_tests.contract.files.report_file import write_file
from contract_tests.contract.resources import VERSION
from contract_tests.contract.rules import Catalogue, Rule
from contract_tests.results.aggregate import Deviation, merge_types, sibling_to_json
from contract_tests.results.examples import Example, describe_example, merge_examples
from contract_tests.results.finding_keys import FindingKey, build_keys, list_inputs, merge_inputs
from contract_tests.results.judge import Difference
from contract_tests.results.observation import Sibling, reproduction_cost
from contract_tests.results.reproduction.commands import iter_body_files, list_commands
from contract_tests.results.statistics import Rate
from contract_tests.results.story import tell_story
from contract_tests.targets.exchange import Exchange

Severity = Literal["failure", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which one operation of the target breaks one rule.

    ``cause`` is the same for both operations if they break the rule for the same reason. ``severity`` is a note if
    the rule is only assumed. ``count`` is the number of cases that showed it; ``examples`` are a few of them.
    ``exchanges`` end with the decisive one, and ``story`` tells in one sentence what happened in several of them.
    ``setup`` are the creates of services that the case shares with others. ``inputs`` are the kinds of input that
    showed it, and ``types`` the types of the services.
    ``differences`` are the wrong properties of a read-back. ``sibling`` is the nearest request that behaved, and
    ``line`` is that of the contract between the two. ``rate`` says how often it shows, if not each time.
    """

    id: str
    rule: Rule
    severity: Severity
    layers: tuple[Layer, ...]
    operation: str
    reason: str
    received: str
    expected: str
    case: Case
    exchanges: tuple[Exchange, ...]
    count: int = 1
    cause: str = ""
    story: str = ""
    differences: tuple[Difference, ...] = ()
    examples: tuple[Example, ...] = ()
    setup: tuple[Exchange, ...] = ()
    inputs: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    sibling: Sibling | None = None
    line: str = ""
    rate: Rate | None = None

    @property
    def keys(self) -> tuple[FindingKey, ...]:
        """What identifies the finding in other runs: one key for each kind of input that showed it."""
        inputs = self.inputs or list_inputs(self.case, self.differences)
        return build_keys(self.rule.id, inputs, self.reason)

    @property
    def service_type(self) -> str:
        """The type of the services that showed it, an empty string if both did."""
        types = self.types or (self.case.service_type,)
        return types[0] if len(types) == 1 else ""

    @property
    def file(self) -> str:
        """The path of the finding's file in a report folder."""
        return f"findings/{self.id}.json"

    @property
    def curl_commands(self) -> str:
        """Commands that send the same requests, one per line, with variables for the secrets."""
        return "\n".join(self.list_commands("findings"))

    @property
    def trace_id(self) -> str:
        """The trace id of the requests, which the logs of the target may hold; empty if none was sent."""
        return next((exchange.trace_id for exchange in reversed(self.exchanges) if exchange.trace_id), "")

    def list_commands(self, folder: str | None) -> list[str]:
        """Return the commands, after a comment with their trace; bodies that cannot be pasted are in ``folder``."""
        trace = [f"# seen with trace id {self.trace_id}"] if self.trace_id else []
        return [*trace, *list_commands(self.id, self.case, self.exchanges, folder, self.setup)]

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain JSON values."""
        return {
            "id": self.id, "cause": self.cause, "rule": self.rule.id, "grade": self.rule.grade,
            "severity": self.severity, "statement": self.rule.statement, "source": self.rule.source,
            "layers": list(self.layers), "operation": self.operation, "reason": self.reason, "story": self.story,
            "received": self.received, "expected": self.expected,
            "differences": [
                {"property": name, "received": got, "expected": wanted} for name, got, wanted in self.differences
            ],
            "examples": [asdict(example) for example in self.examples],
            "line": self.line, "sibling": self.sibling and sibling_to_json(self.sibling),
            "rate": self.rate and {**asdict(self.rate), "interval": list(self.rate.interval)},
            "count": self.count, "file": self.file, "curl": self.curl_commands,
            "case": case_to_json(self.case), "setup": [exchange.to_json() for exchange in self.setup],
            "exchanges": [exchange.to_json() for exchange in self.exchanges],
        }  # fmt: skip


def build_findings(
    deviations: Iterable[Deviation], catalogue: Catalogue, *, strict: bool = False
) -> tuple[Finding, ...]:
    """Return one finding per rule, operation and kind of deviation, with the smallest case of each."""
    by_key: dict[tuple[str, ...], Finding] = {}
    for deviation in deviations:
        finding = _build_finding(deviation, catalogue, strict=strict)
        key = (finding.rule.id, finding.operation, finding.severity, finding.reason)
        known = by_key.get(key)
        if known is None:
            by_key[key] = finding
            continue
        smaller = min(known, finding, key=lambda one: reproduction_cost(one.case, one.exchanges))
        layers = tuple(dict.fromkeys((*known.layers, *finding.layers)))
        examples = merge_examples(known.examples, finding.examples)
        inputs = merge_inputs(known.inputs, finding.inputs)
        types = merge_types(known.types, finding.types)
        count = known.count + finding.count
        by_key[key] = replace(
            smaller, count=count, layers=layers, examples=examples, inputs=inputs, types=types
        )
    return tuple(by_key.values())


def save_finding(finding: Finding, folder: Path, target: str) -> Path:
    """Write the file that ``contract-tests replay`` reads, and its bodies beside it; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{finding.id}.json"
    document = {"kit": VERSION, "target": target, **finding.to_json()}
    # Escaped as ASCII, because a body may contain half of a surrogate pair.
    write_file(path, json.dumps(document, indent=2) + "\n")
    for name, content in iter_body_files(finding.id, finding.exchanges):
        write_file(folder / name, content)
    return path


def load_finding(path: Path) -> tuple[Case, Mapping[str, Any]]:
    """Return the case and the whole document of a finding file; raise ValueError if it is unusable."""
    document = load_json_file(path, "finding")
    return case_from_json(document["case"]), document


def _build_finding(deviation: Deviation, catalogue: Catalogue, *, strict: bool) -> Finding:
    observation = deviation.observation
    judgement = observation.judgement
    rule = catalogue[judgement.rule]
    severe = strict or judgement.server_error or rule.grade != "assumed"
    operation = observation.case.operation
    example = describe_example(observation)
    return Finding(
        id=f"{rule.id}-{_digest(f'{rule.id} {operation} {judgement.reason}')}",
        rule=rule,
        severity="failure" if severe else "note",
        layers=tuple(deviation.layers),
        operation=operation,
        reason=judgement.reason,
        received=judgement.received,
        expected=judgement.expected,
        case=observation.case,
        exchanges=observation.exchanges,
        setup=observation.setup,
        count=deviation.count,
        cause=f"{rule.id}-{_digest(f'{rule.id} {judgement.reason}')}",
        story=tell_story(observation.case, observation.exchanges, judgement),
        differences=judgement.differences,
        examples=merge_examples((example,), deviation.examples),
        inputs=deviation.inputs,
        types=deviation.types,
        sibling=observation.sibling,
        line=observation.line,
        rate=observation.rate,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
