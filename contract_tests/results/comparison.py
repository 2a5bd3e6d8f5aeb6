"""Comparison of the findings of two runs: what is new, fixed, still there, or no longer judged."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_tests.cases.model import Case, case_from_json
from contract_tests.contract.file_shapes import check_shape
from contract_tests.contract.yaml_file import TooLargeError, read_text
from contract_tests.results.findings import Finding

REPORT_FILE = "report.json"
#: The input of a finding that no part of its one request is known to cause.
_UNKNOWN_INPUT = "in one request"
_MAX_FILE_BYTES = 256 * 2**20
_VERBS = {
    "createContainer": "create",
    "updateContainer": "update",
    "readContainer": "read",
    "setStatus": "status",
}


@dataclass(frozen=True, slots=True, order=True)
class FindingKey:
    """The identity of a finding across runs: the rule, the kind of input, and what was seen.

    No part of it depends on a seed, on values that were drawn, or on how often something was seen.
    """

    rule: str
    input: str
    seen: str

    def matches(self, other: "FindingKey") -> bool:
        """Return whether both may be the same finding; an unknown input may be any of its operation."""
        if (self.rule, self.seen) != (other.rule, other.seen):
            return False
        inputs = sorted((self.input, other.input), key=lambda text: text.endswith(_UNKNOWN_INPUT))
        operation = inputs[1].removesuffix(_UNKNOWN_INPUT)
        return inputs[0] == inputs[1] or (
            operation != inputs[1] and inputs[0].startswith(f"{operation}with ")
        )

    def __str__(self) -> str:
        """Return the key as one line."""
        return f"{self.rule}: {self.input}: {self.seen}"


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """The findings of an earlier ``report.json``, and its name and start for the reader."""

    name: str
    started: str
    keys: frozenset[FindingKey]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The findings of a run beside those of an earlier report, each list in order.

    ``unjudged`` are earlier findings whose rule has no verdict now, so that they may be fixed or not.
    """

    earlier: EarlierReport
    new: tuple[FindingKey, ...]
    still: tuple[FindingKey, ...]
    fixed: tuple[FindingKey, ...]
    unjudged: tuple[FindingKey, ...]


def compare_findings(
    earlier: EarlierReport, findings: Iterable[Finding], judged: Collection[str]
) -> Comparison:
    """Return the comparison; ``judged`` are the ids of the rules that have a verdict now."""
    now = {build_key(finding) for finding in findings}
    still = {key for key in now if any(map(key.matches, earlier.keys))}
    gone = {key for key in earlier.keys if not any(map(key.matches, now))}
    return Comparison(
        earlier,
        new=tuple(sorted(now - still)),
        still=tuple(sorted(still)),
        fixed=tuple(sorted(key for key in gone if key.rule in judged)),
        unjudged=tuple(sorted(key for key in gone if key.rule not in judged)),
    )


def build_key(finding: Finding) -> FindingKey:
    """Return the key of a finding."""
    return _join_key(finding.rule.id, finding.operation, finding.case, finding.reason)


def load_earlier_report(path: Path) -> EarlierReport:
    """Read a ``report.json``, or the one in a report folder; raise ValueError if it is unusable."""
    file = path / REPORT_FILE if path.is_dir() else path
    try:
        data = json.loads(read_text(file, max_bytes=_MAX_FILE_BYTES))
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}; name the {REPORT_FILE} of an earlier run") from None
    except TooLargeError:
        raise
    except (ValueError, RecursionError):
        raise ValueError(f"{file} is not JSON; name the {REPORT_FILE} of an earlier run") from None
    check_shape(data, "report", file)
    return EarlierReport(str(path), data["started"], frozenset(map(_parse_key, data["findings"])))


def _parse_key(data: Mapping[str, Any]) -> FindingKey:
    return _join_key(data["rule"], data["operation"], case_from_json(data["case"]), data["reason"])


def _join_key(rule: str, operation: str, case: Case, reason: str) -> FindingKey:
    verb = _VERBS.get(operation, operation)
    return FindingKey(rule, f"{verb} {_describe_input(case)}", re.sub(r"\d+", "N", reason))


def _describe_input(case: Case) -> str:
    """Return the part of the request that the case is about, without its value."""
    if case.layer == "race":
        return "at the same moment"
    requests = [step for step in case.steps if step.operation in ("createContainer", "updateContainer")]
    if len(requests) > 1:
        earlier = " and ".join(dict.fromkeys(_VERBS[step.operation] for step in requests[:-1]))
        return f"after {earlier}"
    if case.value:
        return f"with {case.value[2]}"
    return _UNKNOWN_INPUT
