"""Files of a comparison: ``parity.json``, and ``parity.html`` for people."""

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from contract_tests import reports
from contract_tests.contract.files.report_file import write_file
from contract_tests.contract.resources import VERSION
from contract_tests.parity.pairs.score import Part, Score
from contract_tests.parity.report import (
    DIMENSION_NAMES,
    STATES,
    ParityReport,
    Row,
    format_outcome,
    format_score,
    format_state,
    list_example_commands,
    name_example,
)
from contract_tests.reports.content.common import escape_unprintable, truncate_text
from contract_tests.results.reproduction.commands import iter_body_files

_TEMPLATES = Path(reports.__file__).parent / "templates"
_MAX_BODY = 2000
_TONES = {0: "conforms", 1: "violated"}


def parity_to_json(report: ParityReport) -> dict[str, Any]:
    """Return the report as plain JSON values."""
    return {
        "kit": VERSION, "target": report.target, "profile": report.profile, "started": report.started,
        "seconds": round(report.seconds, 3), "seed": report.seed, "strict": report.strict,
        "exit_code": report.exit_code, "requests": report.requests, "created": report.created,
        "uncompared": report.uncompared, "cut_short": report.cut_short, "notes": list(report.notes),
        "unusable_callers": list(report.unusable_callers),
        "agreement": {"requests": _score_to_json(report.whole)}
        | {name: _score_to_json(score) for name, score in report.scores.items()},
        "parts": [_part_to_json(report, part) for part in report.parts],
        "rules": [_row_to_json(row) for row in report.rule_rows],
        "choices": [_row_to_json(row) for row in report.choice_rows],
    }  # fmt: skip


def write_parity(report: ParityReport, folder: Path) -> None:
    """Write the files; raise OSError if that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps(parity_to_json(report), indent=2)
    write_file(folder / "parity.json", data + "\n")
    write_file(folder / "parity.html", render_page(report))
    for part in report.parts:
        for number, example in enumerate(part.examples, 1):
            for name, content in iter_body_files(name_example(part, number), example.exchanges):
                write_file(folder / name, content)


def render_page(report: ParityReport) -> str:
    """Return the page, which loads nothing from elsewhere."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else escape_unprintable(str(value)),
    )  # fmt: skip
    style = Markup((_TEMPLATES / "report.css").read_text("utf-8"))  # noqa: S704 - our own file
    digest = b64encode(sha256(style.encode()).digest()).decode()
    tone = _TONES.get(report.exit_code, "inconclusive")
    return environment.get_template("parity.html.j2").render(
        report=report, version=VERSION, style=style, tone=tone,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        outcome=format_outcome(report), score=format_score, dimensions=DIMENSION_NAMES, states=STATES,
        state=format_state,
        command=_format_commands,
        body=lambda text: truncate_text(text, _MAX_BODY, "the rest is left out") if text else "",
    )  # fmt: skip


def _format_commands(part: Part, number: int) -> str:
    """Return the curl commands of an example; bodies that cannot be pasted are in files beside the page."""
    return "\n".join(list_example_commands(part, number, "."))


def _score_to_json(score: Score) -> dict[str, Any]:
    low, high = score.interval
    return {
        "agreed": score.agreed, "compared": score.compared, "share": round(score.share, 6),
        "low": round(low, 6), "high": round(high, 6),
    }  # fmt: skip


def _part_to_json(report: ParityReport, part: Part) -> dict[str, Any]:
    kind, statement = report.describe(part.name)
    return {
        "name": part.name, "kind": kind, "statement": statement, "dimension": part.dimension, "count": part.count,
        "examples": [
            {"part": example.difference.part, "deployment": example.difference.theirs,
             "mock": example.difference.ours, "curl": _format_commands(part, number),
             "exchange": example.exchange.to_json()}
            for number, example in enumerate(part.examples, 1)
        ],
    }  # fmt: skip


def _row_to_json(row: Row) -> dict[str, Any]:
    return {"name": row.name, "state": row.state, "requests": row.requests, "reason": row.reason}
