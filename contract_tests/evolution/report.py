"""The report of a comparison of two contracts."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract_tests.contract.files.json_text import parse_json
from contract_tests.evolution.changes import Change
from contract_tests.evolution.play import Difference, Played
from contract_tests.evolution.search import Finding
from contract_tests.evolution.traffic import BrokenCall, Traffic
from contract_tests.results.examples import describe_value
from contract_tests.targets.exchange import Exchange

CLASSES = ("breaking", "relaxed", "response changed", "no witness found")
_MAX_TEXT = 120
_ID, _ABSENT = "$ID", "absent"


@dataclass(frozen=True, slots=True)
class EvolutionReport:
    """The findings of a comparison; ``complete`` is false if its limits ended the search."""

    old: str
    new: str
    target: str
    seed: int
    requests: int
    complete: bool
    findings: tuple[Finding, ...]
    traffic: Traffic | None = None

    @property
    def exit_code(self) -> int:
        """The exit code: 1 if something breaks clients, 3 if the limits ended the search before that."""
        breaks = any(finding.breaks_clients for finding in self.findings)
        return 1 if breaks or (self.traffic and self.traffic.broken) else 0 if self.complete else 3

    def count_classes(self) -> Counter[str]:
        """Count the findings per class."""
        return Counter(name_class(finding) for finding in self.findings)


def name_class(finding: Finding) -> str:
    """Return the class of a finding."""
    return finding.kind or "no witness found"


def list_lines(report: EvolutionReport) -> Iterator[tuple[str, str]]:
    """Yield the class and the text of each line of a terminal; the last one is the outcome, with the class empty."""
    for name in CLASSES:
        for finding in report.findings:
            if name_class(finding) == name:
                yield name, describe_finding(finding)
                if finding.witness:
                    yield "", f"  {describe_witness(finding.witness)}"
    for call in report.traffic.broken if report.traffic else ():
        yield "recorded call breaks", f"{list_numbers(call)}: {describe_witness(call.witness)}"
    if report.traffic:
        yield "", describe_traffic(report.traffic)
    yield "", format_outcome(report)


def format_outcome(report: EvolutionReport) -> str:
    """Return the outcome in one line."""
    counts = report.count_classes()
    named = ", ".join(f"{counts[name]} {name}" for name in CLASSES if counts[name])
    seen = sum(counts[name] for name in CLASSES[:3])
    words = named if seen else f"no observable change{f', {named}' if named else ''}"
    outcome = {0: "NOTHING BREAKS", 1: "BREAKS CLIENTS", 3: "NOT SEARCHED TO THE END"}[report.exit_code]
    return f"{outcome}: {words}; {report.requests} requests"


def describe_witness(played: Played) -> str:
    """Return what was sent, and the old and the new response, in one line."""
    sent = [exchange for exchange in played.exchanges[0] if exchange.method != "GET"][-1]
    path = hide_ids(sent.url, played).partition("/api/v1")[2]
    what = f"{sent.method} {path}{_name_headers(sent)}{_describe_body(sent)}"
    return f"{what}: {'; '.join(map(_describe_difference, played.differences[0]))}"


def describe_finding(finding: Finding) -> str:
    """Return the change in one line, with what it means for clients if no request shows that."""
    unseen = "; clients may rely on it, and no request can show it"
    return (
        f"{describe_change(finding.change)}{unseen if finding.breaks_readers and not finding.witness else ''}"
    )


def describe_change(change: Change) -> str:
    """Return the rules, the place and the change in one line."""
    rules = f"{', '.join(change.rules)}: " if change.rules else ""
    return f"{rules}{change.operation} {change.pointer}: {change.text}"


def _describe_stored(value: Any) -> str:
    return _ABSENT if value is None else describe_value(value)


def _describe_difference(difference: Difference) -> str:
    name, old, new = difference
    return (
        f"{'' if name == 'status' else f'{name} '}{_describe_stored(old)} before, {_describe_stored(new)} now"
    )


def _describe_body(exchange: Exchange) -> str:
    """Return the body in a few words, the property that matters first."""
    try:
        body = parse_json(exchange.body or "")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return f" {_shorten(exchange.body)}" if exchange.body else ""
    members = ", ".join(f"{json.dumps(name)}: {describe_value(value)}" for name, value in body.items())
    return f" {_shorten(f'{{{members}}}')}"


def _name_headers(exchange: Exchange) -> str:
    """Return the headers that say more than a plain request of any caller."""
    shown = [f"{name}: {value}" for name, value in exchange.headers if (name, value) not in _PLAIN_HEADERS]
    missing = [] if any(name == "Authorization" for name, _ in exchange.headers) else ["no Authorization"]
    return f" ({_shorten(', '.join([*shown, *missing]))})" if shown or missing else ""


_PLAIN_HEADERS = (("Authorization", "Bearer $TOKEN"), ("Content-Type", "application/json"))


def describe_traffic(traffic: Traffic) -> str:
    """Return how many recorded calls break, and why others were left out."""
    broken = sum(len(call.numbers) for call in traffic.broken)
    left_out = "".join(f"; {number} left out: {reason}" for reason, number in traffic.left_out.items())
    return f"recorded calls: {broken} of {traffic.played} break{left_out}"


def list_numbers(call: BrokenCall) -> str:
    """Return the places of a call in the recording."""
    return f"{'entries' if len(call.numbers) > 1 else 'entry'} {', '.join(map(str, call.numbers))}"


def hide_ids(text: str, played: Played) -> str:
    """Return a text with a name in place of the ids that the apps gave, which differ each time."""
    for identifier in _list_ids(played.exchanges):
        text = text.replace(identifier, _ID)
    return text


def _list_ids(exchanges: Sequence[Sequence[Exchange]]) -> Iterator[str]:
    for exchange in (one for each in exchanges for one in each):
        try:
            body = parse_json(exchange.response_body)
        except ValueError:
            continue
        if isinstance(body, Mapping) and isinstance(body.get("id"), str):
            yield body["id"]


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_TEXT else f"{line[: _MAX_TEXT - 1]}…"
