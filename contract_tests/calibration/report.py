"""The report of a calibration, in lines for a terminal."""

import textwrap
from collections.abc import Iterator

from contract_tests.calibration.learner import Calibration
from contract_tests.contract.choices import load_choices
from contract_tests.reports.content.blocks import Block, format_example, group_blocks
from contract_tests.reports.content.common import format_expectation

_INDENT = "    "
_SHORTER = {"PUT /containers/{serviceId}": "PUT", "POST /containers": "POST", " was answered ": " → "}


def list_lines(calibration: Calibration, columns: int = 0) -> Iterator[str]:
    """Yield one line for each choice, the broken rules, notes, and how much was seen.

    Lines are shortened for a terminal of ``columns``. A line that is longer still is wrapped, and goes on below its
    text, or below its lead where that leaves more room; 0 neither shortens nor wraps.
    """
    for lead, whole in _iter_parts(calibration):
        text = _shorten(whole) if columns else whole
        if len(lead + text) <= columns or not columns:
            yield lead + text
            continue
        is_below = len(lead) > columns // 3
        if is_below:
            yield lead.rstrip()
        yield from textwrap.wrap(
            text, columns, break_on_hyphens=False, initial_indent=_INDENT if is_below else lead,
            subsequent_indent=_INDENT if is_below else " " * len(lead),
        )  # fmt: skip


def _shorten(text: str) -> str:
    """Return an evidence without the paths of the two operations: their methods differ."""
    for long, short in _SHORTER.items():
        text = text.replace(long, short)
    return text


def _iter_parts(calibration: Calibration) -> Iterator[tuple[str, str]]:
    """Yield the lines, each as its lead and its text."""
    choices = load_choices()
    names = [*calibration.seen, *calibration.not_seen]
    width = max(map(len, names), default=0)
    options = max((len(str(one.option)) for one in calibration.seen.values()), default=0)
    for name, sighting in calibration.seen.items():
        doubt = "" if sighting.confidence == "high" else " (not certain)"
        usual = choices[name].usual
        unusual = "" if sighting.option == usual else f" (usual: {usual})"
        yield f"{name:{width}}  {sighting.option!s:{options}}  ", f"{sighting.evidence}{doubt}{unusual}"
    for name, reason in calibration.not_seen.items():
        yield f"{name:{width}}  ", f"not seen: {reason}"
    for block in group_blocks(calibration.findings):
        yield from _describe_block(block)
    for note in calibration.notes:
        yield "note: ", note
    yield "", format_last_line(calibration)


def _describe_block(block: Block) -> Iterator[tuple[str, str]]:
    yield "✗ ", f"{block.rule.id} ({block.rule.grade}), {block.operations}: {block.reason}"
    yield "    contract: ", block.rule.statement
    for finding in block.findings:
        for example in finding.examples:
            yield "    sent:     ", format_example(example)
        yield "    received: ", f"{finding.received}; expected: {format_expectation(finding)}"


def format_last_line(calibration: Calibration) -> str:
    """Return how much was seen, and what it took."""
    seen, not_seen = len(calibration.seen), len(calibration.not_seen)
    broken = len({finding.rule.id for finding in calibration.findings})
    rules = f"{broken} rule{'s' if broken > 1 else ''}"
    faults = f"; {rules} broken, and no choice learnt from that" if broken else ""
    extent = f"{calibration.requests} requests, {calibration.created} services created"
    ended = f"{calibration.cut_short}: " if calibration.cut_short else ""
    return f"{ended}{seen} of {seen + not_seen} choices seen in {extent}{faults}"
