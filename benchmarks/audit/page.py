"""docs/audit.md: the figures of the audit, the sorting, the catalogues of faults, and the literature."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from benchmarks.audit.run import Tally
from benchmarks.audit.sorting import SORTING, Row
from benchmarks.audit.traffic import SOURCES
from benchmarks.processes.folders import ROOT
from benchmarks.report.table import Table, render_markdown
from contract_tests.contract.rules import load_catalogue

CATALOGUES = ROOT / "benchmarks/audit/catalogues.yaml"
_NOTES = ROOT / "benchmarks/audit/notes.md"
_INTRODUCTION = """# Audit of the judge

`make audit` writes this page in less than a minute. It asks three questions. Does `contract-tests check` report each
recorded response that the contract forbids, and none that it leaves open? Which published kinds of faults does the
gate see? What do the figures of others say beside these?

## Mutated responses

Conforming traffic is recorded: the cases of the fixtures, on two deployments that share no code. One response at a
time is changed, and the recording with this change is judged as `check` does. The changes are the operators of
HTTPMutator, a tool of the University of Seville: status, headers, and every value of a JSON body. It draws values at
random; here a few fixed ones stand for each draw, so that every audit has the same mutants. MUT is an operator of its
code that its documentation does not list. Operators that begin with `+` are our own. The status is mutated in every
case; headers and bodies once for each kind of response. An operator with *no place* needs a header or an array that
no recorded response has.
"""
_SORTING = """## The sorting

The sorting is written from the facts, before anything is judged: a table by operator and place, without the oracle.
A test shows that it imports nothing of the gate. *Forbidden* mutants break a rule that a page documents, or a
standard on which both pages rest; all others are *left open*. A refused valid request is left open, because a
recording shows neither the stored state nor the rights of the caller. `contract-tests run` knows both, and judges it.
"""
_CATALOGUES = """## Published catalogues of faults

The descriptions are ours. A fault has the rules that show it, or the reason why the gate leaves it alone.
"""
_LITERATURE = """## Figures of others

All figures are from the named sources. *Not found* means that no figure was found, and none was guessed.
"""
_ALL = ("all",)


def render_page(tallies: Mapping[str, Tally]) -> str:
    """Return the page for the tallies of all sources."""
    document = load_catalogues()
    parts = [
        _INTRODUCTION,
        render_markdown(_build_source_table(tallies)),
        render_markdown(_build_operator_table(tallies)),
        _NOTES.read_text(encoding="utf-8"),
        _SORTING,
        render_markdown(_build_sorting_table(tallies)),
        _CATALOGUES,
        *_render_catalogues(document["catalogues"]),
        _LITERATURE,
        render_markdown(_build_literature_table(document["literature"], tallies)),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def load_catalogues() -> Any:
    """Return the content of catalogues.yaml."""
    return yaml.safe_load(CATALOGUES.read_text(encoding="utf-8"))


def _build_source_table(tallies: Mapping[str, Tally]) -> Table:
    head = ("traffic", "cases", "forbidden mutants reported", "open mutants reported")
    rows = tuple(render_source_row(name, tally) for name, tally in tallies.items())
    return Table("Reported by check", head, rows)


def render_source_row(name: str, tally: Tally) -> tuple[str, ...]:
    """Return the figures of one source."""
    shares = (_share(*tally.count(forbidden=forbidden)) for forbidden in (True, False))
    return (SOURCES[name].title, f"{tally.cases}", *shares)


def _share(mutants: int, reported: int) -> str:
    return f"{reported:,} of {mutants:,} ({reported / mutants:.0%})"


def _build_operator_table(tallies: Mapping[str, Tally]) -> Table:
    counts: Counter[str] = Counter()
    for tally in tallies.values():
        counts += tally.operators
    rows = tuple(
        (name, text, f"{counts[name]:,}" if counts[name] else "no place") for name, text in _OPERATORS
    )
    return Table("Mutants per operator", ("operator", "change", "mutants"), rows)


def _build_sorting_table(tallies: Mapping[str, Tally]) -> Table:
    rows = tuple(_render_row(row, tallies) for row in SORTING)
    return Table(
        "The first row that fits decides",
        ("operator", "change", "place", "sorted as", "because", "source", "mutants", "reported"),
        rows,
    )


def _render_row(row: Row, tallies: Mapping[str, Tally]) -> tuple[str, ...]:
    mutants = sum(tally.mutants[row] for tally in tallies.values())
    reported = sum(tally.reported[row] for tally in tallies.values())
    return (
        ", ".join(row.operators or _ALL),
        ", ".join(row.variants or _ALL),
        ", ".join(row.places),
        "forbidden" if row.forbidden else "left open",
        row.reason,
        row.source,
        f"{mutants:,}",
        f"{reported:,}",
    )


def _render_catalogues(catalogues: Any) -> Iterator[str]:
    for catalogue in catalogues:
        rows = tuple(
            (
                one["code"],
                one["fault"],
                ", ".join(f"`{rule}`" for rule in one["rules"]) or "none",
                one["note"],
            )
            for one in catalogue["faults"]
        )
        yield render_markdown(Table(catalogue["name"], ("code", "fault", "rules", "how, or why not"), rows))
        yield f"Source: {catalogue['source']}."


def _build_literature_table(literature: Any, tallies: Mapping[str, Tally]) -> Table:
    keys = ("work", "figure", "about", "comparison")
    rows = [tuple(str(entry[key]) for key in keys) for entry in literature]
    head = ("work", "figure", "measured on", "what can be compared")
    return Table("Literature", head, (_describe_this_audit(tallies), *rows))


def _describe_this_audit(tallies: Mapping[str, Tally]) -> tuple[str, ...]:
    forbidden, found = _sum_counts(tallies, forbidden=True)
    left_open, alarms = _sum_counts(tallies, forbidden=False)
    total = forbidden + left_open
    figure = (
        f"{_share(forbidden, found)} forbidden mutants, {_share(left_open, alarms)} open ones; "
        f"that is {(found + alarms) / total:.0%} of all {total:,}"
    )
    about = f"2 operations; a contract of {len(load_catalogue())} rules, written by hand"
    return (
        "This audit",
        figure,
        about,
        "Only a share of all mutants has a counterpart below; more would be false alarms.",
    )


def _sum_counts(tallies: Mapping[str, Tally], *, forbidden: bool) -> tuple[int, int]:
    counts = [tally.count(forbidden=forbidden) for tally in tallies.values()]
    return sum(mutants for mutants, _ in counts), sum(reported for _, reported in counts)


_OPERATORS = (
    ("R2XX", "another status: 200, 201, 202, 204"),
    ("R4XX", "another status: 400, 401, 403, 404, 409"),
    ("R5XX", "another status: 500, 501, 502, 503, 504"),
    ("CTC", "another media type"),
    ("CTD", "no media type"),
    ("CPC", "another charset"),
    ("CPD", "no charset"),
    ("LHC", "another Location"),
    ("LHD", "no Location"),
    ("AEA", "an element added to an array"),
    ("AER", "an element removed from an array"),
    ("AEE", "elements of an array exchanged"),
    ("EAS", "an empty array"),
    ("OPA", "a property added to an object"),
    ("OPR", "a property removed from an object"),
    ("OTPR", "a property removed that is an object"),
    ("PTC", "a value of another type"),
    ("BPR", "the other boolean"),
    ("NPS", "null"),
    ("NPR", "another number, next to it and far away"),
    ("SPR", "another text"),
    ("SCA", "special characters added to a text"),
    ("SRE", "an empty, short or long text, in lower or upper case"),
    ("MUT", "one character of a text removed, added or replaced"),
    ("+ID", "another id: of another service, of an earlier create, in the other letter case"),
    ("+BODY", "a body left out, cut, in an array, or with white space"),
)
