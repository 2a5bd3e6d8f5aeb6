"""Conforming traffic: the fixtures, played on a deployment and written by the recorder of the gate."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.audit.model import Entry, RecordedCase
from benchmarks.processes.folders import temporary_folder
from contract_tests.cases.model import Case
from contract_tests.cases.tables import load_fixture_cases
from contract_tests.contract.rules import Catalogue
from contract_tests.execution.executor import Executor
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.reports.har import write_har
from contract_tests.results.recorded.recording import load_recording
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.exchange import Exchange
from contract_tests.targets.wsgi import WsgiTarget
from examples.deployment.app import create_wsgi_app
from mock_server import create_app

App = Callable[..., Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where traffic comes from: a deployment, its recorder, and by which key its cases are chosen.

    One case per key is recorded, so a coarser key makes less traffic.
    """

    title: str
    build_app: Callable[[], App]
    hook: str
    own: bool
    key: Callable[[Case, Catalogue], tuple[str, ...]]


def _key_by_rule(case: Case, _: Catalogue) -> tuple[str, ...]:
    return case.rule, case.expect


def _key_by_stage(case: Case, catalogue: Catalogue) -> tuple[str, ...]:
    rule = catalogue[case.rule]
    exact = "exact" if rule.exact_status else ""
    return rule.stage or "", rule.kind, rule.grade, exact, case.expect, case.operation


_MOCK_HOOK, _EXAMPLE_HOOK = "/_mock/services/{id}/status/{status}", "/ops/services/{id}/status/{status}"
SOURCES: Mapping[str, Source] = {
    "mock": Source("the mock, recorded by the gate", create_app, _MOCK_HOOK, True, _key_by_rule),
    "example": Source(
        "the example deployment, recorded by the gate", create_wsgi_app, _EXAMPLE_HOOK, True, _key_by_stage
    ),
    "other recorder": Source(
        "the example deployment, recorded by another program without the token",
        create_wsgi_app,
        _EXAMPLE_HOOK,
        False,
        _key_by_stage,
    ),
}


def record_cases(source: Source) -> list[RecordedCase]:
    """Play one case of the fixtures per key on the deployment, and return the traffic of each."""
    options = ExecutorOptions(control_hook=source.hook)
    executor = open_executor(WsgiTarget(source.build_app()), options=options)
    report = Run(executor, RunOptions(rules=frozenset({"created"}), layers=("wire",))).execute()
    played = list(_play_cases(executor, source))
    traffic = tuple(exchange for _, exchanges in played for exchange in exchanges)
    with temporary_folder() as folder:
        path = folder / "traffic.har"
        write_har(replace(report, traffic=traffic), path)
        entries = _read_entries(path, own=source.own)
    recorded = []
    for case, exchanges in played:
        stage = executor.catalogue[case.rule].stage or ""
        entries_of_case = tuple(entries[: len(exchanges)])
        recorded.append(RecordedCase(case.id, stage, case.expect, entries_of_case, source.own))
        entries = entries[len(exchanges) :]
    return recorded


def _play_cases(executor: Executor, source: Source) -> Iterator[tuple[Case, Sequence[Exchange]]]:
    """Yield the first case of each key that sends a whole write request, with its exchanges."""
    known = set()
    for case in load_fixture_cases(executor.catalogue):
        key = source.key(case, executor.catalogue)
        if key in known or case.operation == "readContainer":
            continue
        observation = executor.run_case(case)
        exchanges = tuple(dict.fromkeys((*observation.setup, *observation.exchanges)))
        if observation.judgement.outcome == "passed" and observation.exchanges:
            known.add(key)
            yield case, exchanges


def _read_entries(path: Path, *, own: bool) -> list[Entry]:
    entries = load_recording(path).entries
    return list(entries) if own else [_hide_caller(entry) for entry in entries]


def _hide_caller(entry: Entry) -> Entry:
    """Return an entry as recorders write it that keep tokens secret and know no callers."""
    request = {key: value for key, value in entry["request"].items() if not key.startswith("_caller")}
    request["headers"] = [one for one in request["headers"] if one["name"].lower() != "authorization"]
    return {**{key: value for key, value in entry.items() if key != "comment"}, "request": request}
