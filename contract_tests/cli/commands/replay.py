"""The ``contract-tests replay`` command."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from contract_tests.cases.model import Case
from contract_tests.cli.common.errors import report_target_errors, report_usage_errors
from contract_tests.cli.common.options import add_target_options, check_target, open_command_executor
from contract_tests.cli.common.output import end_with_text
from contract_tests.cli.configuration.command import ConfiguredCommand
from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.execution.sending.limits import TargetGone
from contract_tests.reports.content.common import escape_console
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation
from contract_tests.results.statistics import count_replays
from contract_tests.results.story import tell_story
from contract_tests.targets.exchange import Exchange


class _Form(click.Choice):  # type: ignore[type-arg]  # generic since click 8.2
    """A form of a finding; the error of ``curl`` says that nothing is needed for it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the form, or end with an error."""
        if value == "curl":
            self.fail("the curl commands are printed without --as", param, ctx)
        return super().convert(value, param, ctx)


@dataclass(frozen=True, slots=True)
class _Replay:
    """One finding that was sent again: its verdict, its exit code, and the lines that describe it."""

    file: Path
    verdict: str
    code: int
    note: str = ""
    lines: tuple[str, ...] = ()
    differs: bool = False  # on an assumed rule, which is no violation


@click.command(cls=ConfiguredCommand)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@add_target_options
@click.option("--as", "form", type=_Form(["pytest"]), help="Print the finding as a test; send nothing.")
@click.option("--strict", is_flag=True, help="Fail on assumed rules, too.")
def replay(files: tuple[Path, ...], form: str | None, *, strict: bool, **options: Any) -> None:
    """Send the requests of findings again, and judge them.

    A FILE is a finding, or a folder: a report, or its findings. One finding is shown with its requests, several with
    a line each.

    A finding that showed only sometimes is sent as often as its rate needs to show it (95 %), at most 60 times.

    Exit codes: 0 all conform now, or differ on an assumed rule, which --strict or a strict run makes 1; 1 one is
    still violated, 2 wrong usage, 3 the target could not be judged.
    """
    from contract_tests.results.findings import load_finding

    with report_usage_errors():
        findings = {file: load_finding(file) for file in _list_findings(files)}
        if form:
            end_with_text(_render_pytest(findings, options["spec"]), 0)
        check_target(options)
        executor = open_command_executor(options, CreatedLog())
        for file, (case, _) in findings.items():
            if case.rule not in executor.catalogue:
                raise ValueError(f"{file}: the contract has no rule {case.rule!r} any more")
    with report_target_errors():
        from contract_tests.execution.preflight.run import apply_preflight, run_preflight

        apply_preflight(executor, run_preflight(executor))
        done = _replay_findings(executor, findings, options["target"], strict=strict)
    end_with_text(escape_console("\n".join(_describe_replays(done))), _combine_codes(done))


def _list_findings(files: Iterable[Path]) -> list[Path]:
    """Return the files of findings, those of a folder in order; raise ValueError for one without any."""
    found: list[Path] = []
    for file in files:
        folder = file / "findings" if (file / "findings").is_dir() else file
        if folder == file and (file / "report.json").is_file():
            raise ValueError(f"{file}: the report has no finding, so there is nothing to send again")
        inside = sorted(filter(Path.is_file, folder.glob("*.json"))) if folder.is_dir() else [file]
        if not inside:
            raise ValueError(f"{file}: no finding is in this folder; name a report folder, or its findings")
        found += inside
    return list(dict.fromkeys(found))


def _replay_findings(
    executor: Executor, findings: Mapping[Path, tuple[Case, Mapping[str, Any]]], target: str, *, strict: bool
) -> list[_Replay]:
    """Replay findings in turn; if the target goes away after the first of them, the others are not judged."""
    done: list[_Replay] = []
    for file, found in findings.items():
        try:
            done.append(_replay_finding(executor, file, *found, target, strict=strict))
        except TargetGone as gone:
            if not done:
                raise
            left = list(findings)[len(done) :]
            verdicts = [f"{findings[one][0].rule} not observed: the target {gone}" for one in left]
            return done + [_Replay(*one, code=3) for one in zip(left, verdicts, strict=True)]
    return done


def _replay_finding(
    executor: Executor, file: Path, case: Case, document: Mapping[str, Any], target: str, *, strict: bool
) -> _Replay:
    observations = _run_tries(executor, case, document.get("rate"))
    observation = _choose_observation(observations)
    judgement = observation.judgement
    strict = strict or document.get("severity") == "failure" or judgement.server_error
    tolerated = executor.catalogue[judgement.rule].grade == "assumed" and not strict
    differs = judgement.outcome == "violated" and tolerated
    code = {"violated": 0 if tolerated else 1, "passed": 0}.get(judgement.outcome, 3)
    verdict = _describe_verdict(observations, judgement, differs=differs)
    note = _name_other_target(document.get("target", ""), target)
    return _Replay(file, verdict, code, note, tuple(_describe_observation(file.stem, observation)), differs)


def _describe_replays(done: Sequence[_Replay]) -> Iterator[str]:
    """Yield all of one finding; a line for each of several, and how many of them are as before."""
    notes = list(dict.fromkeys(one.note for one in done if one.note))
    if len(done) == 1:
        yield from (*done[0].lines, *notes, done[0].verdict)
        return
    yield from (f"{one.file}: {one.verdict}" for one in done)
    yield from notes
    codes, differing = Counter(one.code for one in done), sum(one.differs for one in done)
    parts = (
        (codes[1], "still violated"),
        (differing, "differ on an assumed rule"),
        (codes[0] - differing, "not violated"),
        (codes[3], "not judged"),
    )
    numbers = ", ".join(f"{number} {name}" for number, name in parts if number)
    yield f"{len(done)} findings: {numbers}; replay FILE shows the requests of one"


def _combine_codes(done: Iterable[_Replay]) -> int:
    """Return 1 if a finding is still violated, else 3 if one could not be judged, else 0."""
    codes = {one.code for one in done}
    return next((code for code in (1, 3) if code in codes), 0)


def _name_other_target(found: str, target: str) -> str:
    """Return a note if a finding is of another target than the one that gets its requests."""
    same = not found or found.rstrip("/") == target.rstrip("/")
    return "" if same else f"note: the finding is of {found}, and was sent to {target}"


def _run_tries(executor: Executor, case: Case, rate: Mapping[str, Any] | None) -> list[Observation]:
    """Run a case once, or as often as its rate needs to show it."""
    from contract_tests.execution.race import run_race

    if case.layer == "race":
        return [run_race(executor, case)]
    tries = count_replays(rate["shown"], rate["tries"]) if rate else 1
    return [executor.run_case(case) for _ in range(tries)]


def _choose_observation(observations: Sequence[Observation]) -> Observation:
    """Return a violation if there is one, else a try that proves nothing, else one that passed."""
    order = ("violated", "inconclusive", "not observed", "passed")
    return min(observations, key=lambda one: order.index(one.judgement.outcome))


def _describe_verdict(observations: Sequence[Observation], judgement: Judgement, *, differs: bool) -> str:
    """Return the last line: the rule, the outcome with its reason, and in how many tries it showed."""
    passed = judgement.outcome == "passed"
    shown = sum(one.judgement.outcome == "violated" for one in observations)
    tries = f"showed in {shown} of {len(observations)} tries" if len(observations) > 1 else ""
    reason = "; ".join(part for part in ("" if passed else judgement.reason, tries) if part)
    name = "conforms" if passed else str(judgement.outcome)
    if differs:
        name = "differs (the rule is only assumed, so the deployment still conforms)"
    return f"{judgement.rule} {name}{f': {reason}' if reason else ''}"


def _render_pytest(findings: Mapping[Path, tuple[Case, Mapping[str, Any]]], spec: Path | None) -> str:
    """Return a finding as a pytest; raise ValueError with one line if it cannot be one."""
    if len(findings) > 1:
        raise ValueError(f"--as pytest prints one finding, not {len(findings)}; name one FILE")
    ((file, (case, document)),) = findings.items()
    from contract_tests.contract.rules import load_catalogue
    from contract_tests.results.reproduction.pytest_file import render_pytest
    from contract_tests.targets.exchange import exchange_from_json

    rules = spec.with_name("rules.yaml") if spec else None
    rule = load_catalogue(rules if rules and rules.is_file() else None).get(case.rule)
    if rule is None:
        raise ValueError(f"{file}: the contract has no rule {case.rule!r} any more")
    try:
        exchanges = [exchange_from_json(entry) for entry in document.get("exchanges", ())]
        return render_pytest(case, rule, document, exchanges).rstrip("\n")
    except ValueError as error:
        raise ValueError(f"{file} cannot be a pytest: {error}; send it by contract-tests replay") from None


def _describe_observation(name: str, observation: Observation) -> Iterator[str]:
    """Yield commands that send the requests again, the responses received, and what a violation is about."""
    from contract_tests.results.reproduction.commands import list_commands

    yield from list_commands(name, observation.case, observation.exchanges, None, observation.setup)
    yield from map(_describe_exchange, observation.exchanges)
    if observation.judgement.outcome == "violated":
        yield from _describe_violation(observation)


def _describe_exchange(exchange: Exchange) -> str:
    sent = f"{exchange.method} {exchange.url} as {exchange.caller}"
    return f"{sent}\n  -> {exchange.status or exchange.reason} {exchange.response_body[:300]}"


def _describe_violation(observation: Observation) -> Iterator[str]:
    """Return what happened, and what was received and expected."""
    judgement = observation.judgement
    story = tell_story(observation.case, observation.exchanges, judgement)
    lines = [f"{name}: received {got}, expected {wanted}" for name, got, wanted in judgement.differences]
    lines = lines or [f"received: {judgement.received}", f"expected: {judgement.expected}"]
    return iter((*([story] if story else []), *lines))
