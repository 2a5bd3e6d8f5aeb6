"""Files of two contracts compared: JSON, Markdown with commands, and the bodies that cannot be pasted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contract_tests.contract.files.report_file import write_file
from contract_tests.contract.resources import VERSION
from contract_tests.evolution.changes import Change
from contract_tests.evolution.play import Played
from contract_tests.evolution.report import (
    CLASSES,
    EvolutionReport,
    describe_change,
    describe_finding,
    describe_traffic,
    describe_witness,
    format_outcome,
    hide_ids,
    list_numbers,
    name_class,
)
from contract_tests.reports.content.common import escape_unprintable
from contract_tests.reports.content.escaping import escape_markdown, fence_code
from contract_tests.results.reproduction.commands import iter_body_files, list_commands
from contract_tests.targets.exchange import Exchange

_MAX_BODY = 500


def evolution_to_json(report: EvolutionReport) -> dict[str, Any]:
    """Return the report as plain JSON values."""
    traffic = report.traffic
    return {
        "kit": VERSION, "old": report.old, "new": report.new, "target": report.target, "seed": report.seed,
        "requests": report.requests, "complete": report.complete, "exit_code": report.exit_code,
        "counts": dict(report.count_classes()),
        "changes": [
            {"class": name_class(finding), "breaks": finding.breaks_clients, **_change_to_json(finding.change),
             "witness": finding.witness and _witness_to_json(_name_files(number), finding.witness)}
            for number, finding in enumerate(report.findings, 1)
        ],
        "traffic": traffic and {
            "played": traffic.played, "left_out": dict(traffic.left_out),
            "broken": [
                {"calls": list(call.numbers), "changes": [*map(_change_to_json, call.changes)],
                 "witness": _witness_to_json(_name_files(number, "call"), call.witness)}
                for number, call in enumerate(traffic.broken, 1)
            ],
        },
    }  # fmt: skip


def write_evolution(report: EvolutionReport, folder: Path) -> None:
    """Write ``evolution.json``, ``evolution.md`` and long bodies as files; raise OSError if that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps(evolution_to_json(report), indent=2, ensure_ascii=False)
    write_file(folder / "evolution.json", data.encode("utf-8", "replace") + b"\n")
    page = escape_unprintable("\n".join(_iter_page(report)))
    write_file(folder / "evolution.md", page)
    calls = report.traffic.broken if report.traffic else ()
    witnesses = [(_name_files(number), finding.witness) for number, finding in enumerate(report.findings, 1)]
    witnesses += [(_name_files(number, "call"), call.witness) for number, call in enumerate(calls, 1)]
    for name, witness in witnesses:
        for file, content in iter_body_files(name, witness.exchanges[0]) if witness else ():
            write_file(folder / file, content)


def _iter_page(report: EvolutionReport) -> Iterator[str]:
    yield f"## {escape_markdown(format_outcome(report))}\n"
    yield f"Old {escape_markdown(report.old)}, new {escape_markdown(report.new)}, seed {report.seed}.\n"
    numbered = list(enumerate(report.findings, 1))
    for name in CLASSES:
        own = [(number, finding) for number, finding in numbered if name_class(finding) == name]
        if own:
            yield f"### {name.capitalize()} ({len(own)})\n"
        for number, finding in own:
            yield f"- {escape_markdown(describe_finding(finding))}"
            if finding.witness:
                yield from _iter_witness(_name_files(number), finding.witness)
            yield ""
    if report.traffic:
        yield f"### Recorded calls\n\n{escape_markdown(describe_traffic(report.traffic))}\n"
        for number, call in enumerate(report.traffic.broken, 1):
            causes = "; ".join(map(describe_change, call.changes)) or "several changes together"
            yield f"- {escape_markdown(list_numbers(call))}: {escape_markdown(causes)}"
            yield from _iter_witness(_name_files(number, "call"), call.witness)
            yield ""


def _iter_witness(name: str, played: Played) -> Iterator[str]:
    yield f"\n  {escape_markdown(describe_witness(played))}\n"
    yield fence_code("\n".join(_list_commands(name, played)))


def _change_to_json(change: Change) -> dict[str, Any]:
    return {
        "operation": change.operation, "place": change.pointer, "change": change.text,
        "rules": list(change.rules),
    }  # fmt: skip


def _witness_to_json(name: str, played: Played) -> dict[str, Any]:
    old, new = played.exchanges[:2]
    return {
        "summary": describe_witness(played),
        "requests": [_requests_to_json(*pair, played) for pair in zip(old, new, strict=True)],
        "differences": [{"what": n, "old": before, "new": now} for n, before, now in played.differences[0]],
        "commands": _list_commands(name, played),
    }


def _requests_to_json(old: Exchange, new: Exchange, played: Played) -> dict[str, Any]:
    responses = {
        name: {"status": each.status, "body": hide_ids(each.response_body[:_MAX_BODY], played)}
        for name, each in (("old", old), ("new", new))
        if each.method != "GET"
    }
    return {
        "method": old.method, "url": hide_ids(old.url, played), "caller": old.caller,
        "headers": [list(header) for header in old.headers], "body": old.body, **responses,
    }  # fmt: skip


def _list_commands(name: str, played: Played) -> list[str]:
    return list_commands(name, played.case, played.exchanges[0], ".")


def _name_files(number: int, what: str = "change") -> str:
    return f"{what}-{number}"
