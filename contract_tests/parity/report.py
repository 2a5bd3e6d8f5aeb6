"""The results of a comparison, and the lines of a terminal."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from contract_tests.cases.model import Case
from contract_tests.contract.choices import Choice
from contract_tests.contract.rules import Rule
from contract_tests.parity.pairs.compare import DIMENSIONS, Dimension
from contract_tests.parity.pairs.score import Part, Score
from contract_tests.parity.session import ParitySession
from contract_tests.results.reproduction.commands import list_commands
from contract_tests.results.verdict import RuleVerdict, decide_verdicts

State = Literal["parts", "verified", "tried", "skipped"]
STATES: tuple[State, ...] = ("parts", "verified", "tried", "skipped")
DIMENSION_NAMES: Mapping[Dimension, str] = {
    "accepted": "accept or refuse",
    "status": "status",
    "shape": "shape of the answer",
    "stored": "stored values",
}
#: Choices that no comparison shows.
_UNSEEN = {"reported-violations": "the words of refusals are not compared"}
#: A difference in shape alone fails with --strict only.
_FAILING: tuple[Dimension, ...] = ("accepted", "status", "stored")


@dataclass(frozen=True, slots=True)
class Row:
    """A rule or a choice: whether its behaviour was compared, in how many requests, and why not."""

    name: str
    state: State
    requests: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParityReport:
    """The results of one comparison, without secrets."""

    target: str
    profile: str
    started: str
    seconds: float
    seed: int
    strict: bool
    requests: int
    created: int
    uncompared: int
    whole: Score
    scores: Mapping[Dimension, Score]
    parts: tuple[Part, ...]
    rule_rows: tuple[Row, ...]
    choice_rows: tuple[Row, ...]
    rules: Mapping[str, Rule]
    choices: Mapping[str, Choice]
    notes: tuple[str, ...] = ()
    unusable_callers: tuple[str, ...] = ()
    cut_short: str = ""

    @property
    def exit_code(self) -> int:
        """0: agrees. 1: differs. 3: nothing was compared, the target went away, or a caller could not be used."""
        failing = [part for part in self.parts if self.strict or part.dimension in _FAILING]
        if failing:
            return 1
        if self.cut_short == "interrupted":
            return 130
        return (
            3
            if not self.whole.compared or self.unusable_callers or self.cut_short.startswith("the target")
            else 0
        )

    def describe(self, name: str) -> tuple[str, str]:
        """Return what a part is about: the kind of a rule or choice, and its statement or question."""
        if name in self.choices:
            return "choice", self.choices[name].question
        rule = self.rules.get(name)
        return (f"rule, {rule.grade}", rule.statement) if rule else ("rule", "")


def build_report(
    session: ParitySession, *, target: str, profile: str, started: str, strict: bool
) -> ParityReport:
    """Return the report of a session that has run."""
    scorer, catalogue, choices = session.scorer, session.executor.catalogue, session.choices
    parts = scorer.list_parts(choices)
    parted = {part.name for part in parts}
    requests = scorer.subjects | Counter({part.name: part.count for part in reversed(parts)})
    verdicts, _ = decide_verdicts(session.aggregate, catalogue, {})
    rule_rows = [
        Row(row.rule.id, "parts" if row.rule.id in parted else _find_state(row, requests[row.rule.id]),
            requests[row.rule.id], row.reason if row.verdict in ("inconclusive", "not observed") else "")
        for row in verdicts
    ]  # fmt: skip
    choice_rows = [
        Row(name, "parts" if name in parted else "verified" if scorer.subjects[name] else "skipped",
            requests[name], "" if scorer.subjects[name] else _UNSEEN.get(name, "no request was about it"))
        for name in choices
    ]  # fmt: skip
    return ParityReport(
        target=target, profile=profile, started=started, seconds=session.seconds, seed=session.options.seed,
        strict=strict, requests=session.twin.requests, created=session.executor.sender.created_log.count,
        uncompared=session.twin.uncompared, whole=scorer.score(),
        scores={name: scorer.score(name) for name in DIMENSIONS}, parts=parts, rule_rows=tuple(rule_rows),
        choice_rows=tuple(choice_rows), rules=catalogue, choices=choices, notes=session.notes,
        unusable_callers=session.unusable_callers, cut_short=session.cut_short,
    )  # fmt: skip


def _find_state(row: RuleVerdict, requests: int) -> State:
    """Return the state of a rule on which the two agree; ``requests`` are those that say something about it."""
    if row.verdict == "not observed":
        return "tried" if requests else "skipped"
    return "tried" if row.verdict == "inconclusive" else "verified"


def format_score(score: Score) -> str:
    """Return a score with its interval: ``99.4 % (98.9 to 99.7) of 2,000``."""
    if not score.compared:
        return "nothing to compare"
    low, high = score.interval
    return f"{_percent(score.share)} % ({_percent(low)} to {_percent(high)}) of {score.compared:,}"


def _percent(share: float) -> str:
    """Return a share in percent; one below the whole never as 100."""
    text = f"{share * 100:.1f}"
    return text if share >= 1 or text != "100.0" else f"{int(share * 10_000) / 100:.2f}"


#: By exit code: the headline, and what comes before the rules and choices on which the two differ.
_HEADLINES = {
    0: ("AGREES", " except for the shape of answers on "),
    1: ("DIFFERS", " on "),
    130: ("INTERRUPTED", ", differs on "),
}


def format_outcome(report: ParityReport) -> str:
    """Return the outcome in one line."""
    headline, before = _HEADLINES.get(report.exit_code, ("NOT COMPARED", ", differs on "))
    names = {part.name for part in report.parts}
    choices = len(names & {*report.choices})
    numbers = ((choices, "choice"), (len(names) - choices, "rule"))
    subjects = " and ".join(_number(number, word) for number, word in numbers if number)
    about = f"{before}{subjects}" if subjects else ""
    extent = f"{report.requests:,} requests in {report.seconds:.1f} s, {report.created} services created"
    return f"{headline}{about}: agrees in {format_score(report.whole)} requests; {extent}"


def format_state(state: State, number: int = 1) -> str:
    """Return the word for a state of so many rules or choices; ``parity.json`` has the state itself."""
    return state if state != "parts" else "differs" if number == 1 else "differ"


def _number(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def list_example_commands(part: Part, number: int, folder: str | None = None) -> list[str]:
    """Return the requests of an example of a part as curl commands; long bodies are in files in ``folder``."""
    case = Case("parity", "", "wire", ())
    return list_commands(name_example(part, number), case, part.examples[number - 1].exchanges, folder)


def name_example(part: Part, number: int) -> str:
    """Return the beginning of the names of the files with the bodies of an example."""
    return f"{part.name}-{part.dimension}-{number}"


class _Command(str):
    """A line that is never wrapped, so that it can be pasted."""

    __slots__ = ()


def list_lines(report: ParityReport, width: int, folder: str | None = None) -> Iterator[str]:
    """Yield the lines of a terminal of so many columns; only commands may be longer.

    ``folder`` is that of the files, None if none is written.
    """
    for indent, text in _list_texts(report, folder):
        if isinstance(text, _Command):
            yield " " * indent + text
            continue
        yield from textwrap.wrap(
            text, max(width, 20), initial_indent=" " * indent, subsequent_indent=" " * (indent + 2),
            break_on_hyphens=False,
        )  # fmt: skip


def _list_texts(report: ParityReport, folder: str | None) -> Iterator[tuple[int, str]]:
    yield 0, f"{report.target} and the mock with {report.profile}, seed {report.seed}"
    yield 0, f"agrees in {format_score(report.whole)} requests"
    for name, score in report.scores.items():
        yield 2, f"{DIMENSION_NAMES[name]}: {format_score(score)}"
    subjects = {row.name: row.requests for row in (*report.rule_rows, *report.choice_rows)}
    for part in report.parts:
        kind, statement = report.describe(part.name)
        of = subjects.get(part.name, part.count)
        numbers = f"{part.count:,} of {_number(of, 'request')}"
        yield 0, f"✗ {part.name} ({kind}), {DIMENSION_NAMES[part.dimension]}: {numbers}"
        yield 4, statement
        for example in part.examples[:1]:
            found = example.difference
            yield 4, f"{found.part}: deployment {found.theirs}, mock {found.ours}"
            for command in list_example_commands(part, 1, folder):
                yield 4, _Command(command)
    yield from _list_rows("rules", report.rule_rows)
    yield from _list_rows("choices", report.choice_rows)
    if report.uncompared:
        yield 0, f"note: {report.uncompared} requests had no answer, or a 429 or 503, and were not compared"
    for note in report.notes:
        yield 0, f"note: {note}"
    for caller in report.unusable_callers:
        yield 0, f"cannot be used: {caller}"
    if report.cut_short:
        yield 0, f"cut short: {report.cut_short}"
    yield 0, format_outcome(report)


def _list_rows(name: str, rows: tuple[Row, ...]) -> Iterator[tuple[int, str]]:
    counts = ((state, sum(row.state == state for row in rows)) for state in STATES)
    texts = (f"{number} {format_state(state, number)}" for state, number in counts if number)
    yield 0, f"{name}: {', '.join(texts)}"
    for (state, reason), names in group_rows(rows).items():
        yield 2, f"{state}: {', '.join(names)}: {reason}"


def group_rows(rows: tuple[Row, ...]) -> dict[tuple[State, str], list[str]]:
    """Return the names of the rows that were not compared for good, by state and reason."""
    groups: dict[tuple[State, str], list[str]] = {}
    for row in rows:
        if row.state in ("tried", "skipped"):
            groups.setdefault((row.state, row.reason), []).append(row.name)
    return groups
