"""Findings: violations, deduplicated, with all that anyone needs to see them again."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from contract_tests import __version__
from contract_tests.cases.model import Case, Layer, from_data, to_data
from contract_tests.contract.rules import Catalogue, Rule
from contract_tests.results.aggregate import Sighting
from contract_tests.targets.exchange import Exchange

Severity = Literal["failure", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which the target breaks one rule.

    ``severity`` is a note where the rule is only assumed. ``count`` is how many cases showed the same.
    ``exchanges`` end with the one that decides.
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

    @property
    def curl(self) -> str:
        """Commands that send the same requests, one a line, with ``$TOKEN`` for the secret."""
        return "\n".join(exchange.curl() for exchange in self.exchanges)

    def to_data(self) -> dict[str, Any]:
        """Return the finding as plain JSON values."""
        return {
            "id": self.id, "rule": self.rule.id, "grade": self.rule.grade, "severity": self.severity,
            "statement": self.rule.statement, "source": self.rule.source, "layers": list(self.layers),
            "operation": self.operation, "reason": self.reason, "received": self.received,
            "expected": self.expected, "count": self.count, "curl": self.curl,
            "case": to_data(self.case), "exchanges": [exchange.to_data() for exchange in self.exchanges],
        }  # fmt: skip


def findings(
    sightings: Iterable[Sighting], catalogue: Catalogue, *, strict: bool = False
) -> tuple[Finding, ...]:
    """Return one finding per rule, operation and kind of deviation; the smallest case stands for the others."""
    by_key: dict[tuple[str, ...], Finding] = {}
    for sighting in sightings:
        finding = _finding(sighting, catalogue, strict=strict)
        key = (finding.rule.id, finding.operation, finding.severity, finding.reason)
        known = by_key.get(key)
        if known is None:
            by_key[key] = finding
            continue
        smaller = min(known, finding, key=_size)
        layers = tuple(dict.fromkeys((*known.layers, *finding.layers)))
        by_key[key] = replace(smaller, count=known.count + finding.count, layers=layers)
    return tuple(by_key.values())


def save(finding: Finding, folder: Path, target: str) -> Path:
    """Write the file that ``contract-tests replay`` reads, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{finding.id}.json"
    document = {"kit": __version__, "target": target, **finding.to_data()}
    path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")  # escaped: a body may hold half a pair
    return path


def load(path: Path) -> tuple[Case, Mapping[str, Any]]:
    """Read a finding's file; ValueError says what is wrong with it."""
    try:
        document = json.loads(path.read_text("utf-8"))
        return from_data(document["case"]), document
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(f"{path} is not a finding that this kit wrote") from None


def _finding(sighting: Sighting, catalogue: Catalogue, *, strict: bool) -> Finding:
    result = sighting.result
    judgement = result.judgement
    rule = catalogue[judgement.rule]
    severe = strict or judgement.server_error or rule.grade != "assumed"
    operation = result.case.operation
    digest = hashlib.sha256(f"{rule.id} {operation} {judgement.reason}".encode()).hexdigest()[:6]
    return Finding(
        id=f"{rule.id}-{digest}",
        rule=rule,
        severity="failure" if severe else "note",
        layers=tuple(sighting.layers),
        operation=operation,
        reason=judgement.reason,
        received=judgement.received,
        expected=judgement.expected,
        case=result.case,
        exchanges=result.exchanges,
        count=sighting.count,
    )


def _size(finding: Finding) -> tuple[int, int]:
    return len(finding.exchanges), sum(len(e.body or "") for e in finding.exchanges)
