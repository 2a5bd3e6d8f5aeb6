"""The report as annotations of GitHub Actions: lines that a step prints."""

from collections.abc import Mapping

from contract_tests.reports.code_hosts.places import RulePlaces
from contract_tests.reports.content.blocks import Block, group_blocks
from contract_tests.reports.content.common import (
    escape_console,
    format_departure,
    group_by_severity,
    list_warnings,
    truncate_text,
)
from contract_tests.reports.content.headline import format_last_line
from contract_tests.results.verdict import Report

#: GitHub shows no more of a kind in one step.
MAX_ANNOTATIONS = 10
_MAX_TEXT = 1000


def render_annotations(report: Report, places: RulePlaces) -> str:
    """Return one error per cause, documented violations first, and per departure that fails the run.

    The last error about a cause counts what is left out.
    """
    blocks = group_blocks(group_by_severity(report)["failure"])
    room = MAX_ANNOTATIONS if len(blocks) <= MAX_ANNOTATIONS else MAX_ANNOTATIONS - 1
    lines = [_describe_block(block, places) for block in blocks[:room]]
    if len(blocks) > room:
        left = f"{len(blocks) - room} more kinds of violations: see the summary, or report.html"
        lines.append(_format_command("error", {"title": "contract"}, left))
    drift = {format_departure(one): places.find_choice(one.choice) for one in report.drift}
    for text in list_warnings(report):
        place = drift.get(text)
        where = {"file": place.path, "line": str(place.line)} if place else {}
        lines.append(_format_command("error" if place else "warning", {**where, "title": "contract"}, text))
    if report.exit_code not in (0, 1):
        lines.append(_format_command("warning", {"title": "contract"}, format_last_line(report)))
    return "".join(f"{line}\n" for line in lines)


def _describe_block(block: Block, places: RulePlaces) -> str:
    place = places.find_finding(block.findings[0])
    text = f"{block.rule.statement} {block.reason}: {block.summary} ({block.where()})"
    properties = {"file": place.path, "line": str(place.line), "title": block.title}
    return _format_command("error", properties, text)


def _format_command(name: str, properties: Mapping[str, str], text: str) -> str:
    """Return a workflow command; what a target sent can neither end it nor begin another."""
    shown = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
    return f"::{name} {shown}::{_escape_data(truncate_text(text, _MAX_TEXT))}"


def _escape_data(text: str) -> str:
    return escape_console(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
