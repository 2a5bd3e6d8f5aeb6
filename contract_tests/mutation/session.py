"""Mutation session: the target's factory, the unchanged contract, and the cases for every mutant."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from contract_tests.cases.building.boundaries import derive_cases, select_new_cases
from contract_tests.cases.building.company import add_company
from contract_tests.cases.building.scenarios import build_scenario_cases
from contract_tests.cases.model import Case
from contract_tests.cases.repeats import repeat_rare_cases, repeat_refusals
from contract_tests.cases.tables import load_fixture_cases
from contract_tests.cases.value_templates import SlugFactory
from contract_tests.contract.files.yaml_file import read_yaml
from contract_tests.contract.resources import data_file
from contract_tests.contract.spec import Spec, load_spec
from contract_tests.execution.controls.accepted_values import find_accepted_values, list_offered_values
from contract_tests.execution.controls.controls import Controls
from contract_tests.execution.executor import Executor
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.late_reads import LateReads
from contract_tests.execution.preflight.run import run_preflight
from contract_tests.execution.race import run_race
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.execution.sending.limits import CreateBudget, TargetGone
from contract_tests.execution.sending.sender import Sender
from contract_tests.mutation.mutants import expand_document
from contract_tests.mutation.relevance import Touched, list_touched, select_touching
from contract_tests.mutation.wrappers.wsgi import RequestReader
from contract_tests.results.observation import Observation
from contract_tests.targets.base import TargetError
from contract_tests.targets.control_hook import ControlHook
from contract_tests.targets.factory import import_object, report_foreign_errors
from contract_tests.targets.wsgi import WsgiTarget

Factory = Callable[..., Any]


@dataclass(slots=True)
class MutationSession:
    """Everything that is the same for all mutants.

    ``equivalent`` maps mutants to the reasons for which no case can see them. ``open_reactions`` maps open cases to
    the reaction of the unchanged target, ``touched`` maps cases to the properties that they send. ``repeats`` are the
    refusals that a run sends again at its end. ``template`` is an executor whose catalogue, callers and bodies every
    other executor shares.
    """

    factory: Factory
    spec: Spec
    control_hook: str | None
    template: Executor
    cases: tuple[Case, ...]
    equivalent: Mapping[str, str]
    readback: bool = False
    open_reactions: Mapping[str, str] = field(default_factory=dict)
    touched: Mapping[str, Touched] = field(default_factory=dict)
    repeats: tuple[Case, ...] = ()

    def open_document_executor(self, document: Mapping[str, Any]) -> Executor:
        """Return an executor for a new app that serves the document; errors of the factory propagate."""
        return self.open_app_executor(self.factory(spec=document))

    def open_app_executor(self, app: Any) -> Executor:
        """Return an executor for a WSGI app."""
        target, log, known = WsgiTarget(app), CreatedLog(), self.template
        sender = Sender(target, self.spec, known.sender.redactor, log, CreateBudget(log))
        controls = Controls(sender, known.controls.caller_pool, known.controls.bodies, SlugFactory())
        hook = ControlHook(self.control_hook, target) if self.control_hook else None
        return Executor(
            sender, controls, known.catalogue, hook, self.readback, LateReads(()), known.own_contract
        )

    def open_reader(self) -> RequestReader:
        """Return a reader of the requests of this session."""
        return RequestReader(self.spec, self.template.controls.caller_pool)

    def select_cases(self, mutation: Any) -> tuple[Case, ...]:
        """Return the cases that can see a change."""
        return select_touching(mutation, self.cases, self.touched)


def open_session(
    name: str, *, spec: Path | None = None, control_hook: str | None = None, equivalent: Path | None = None
) -> MutationSession:
    """Prepare a session; raise TargetError if the target does not conform to the unchanged contract."""
    factory, original, reasons = import_factory(name), load_spec(spec), load_equivalent(equivalent)
    options = ExecutorOptions(spec_path=spec, spec=original, control_hook=control_hook)
    template = open_executor(WsgiTarget(factory(spec=original.document)), options=options)
    readback = run_preflight(template).readback
    plain, pool = _build_cases(template, original), template.controls.caller_pool
    cases = tuple(pool.rotate_caller(case) if case.layer != "lifecycle" else case for case in plain)
    expanded = replace(original, document=expand_document(original.document))
    session = MutationSession(factory, expanded, control_hook, template, cases, reasons, readback)
    observations = list(run_cases(session.open_document_executor(session.spec.document), session.cases))
    violated = sorted({o.judgement.rule for o in observations if o.judgement.outcome == "violated"})
    if violated:
        raise TargetError(f"{name} violates the unchanged contract ({', '.join(violated)}); fix that first")
    session.open_reactions = {
        o.case.id: o.judgement.reaction for o in observations if o.case.expect == "open"
    }
    session.touched = list_touched(observations, expanded)
    session.repeats = _list_repeats(plain, template)
    return session


def _list_repeats(cases: Iterable[Case], executor: Executor) -> tuple[Case, ...]:
    """Return the repeats of a run, layer by layer."""
    by_layer: dict[str, list[Case]] = {}
    for case in cases:
        by_layer.setdefault(case.layer, []).append(case)
    pool = executor.controls.caller_pool
    return (
        *repeat_refusals(by_layer["cases"], pool),
        *repeat_refusals(by_layer["wire"], pool),
        *repeat_rare_cases(by_layer["lifecycle"], pool),
    )


def _build_cases(executor: Executor, spec: Spec) -> tuple[Case, ...]:
    pool, bodies = executor.controls.caller_pool, executor.controls.bodies
    offered, accepted = list_offered_values(executor.controls), find_accepted_values(executor.controls)
    tables = load_fixture_cases(executor.catalogue)
    derived = select_new_cases(derive_cases(spec, executor.catalogue, bodies), tables)
    values = [case for case in (*tables, *derived) if case.layer == "cases"]
    others = [case for case in tables if case.layer != "cases"]
    scenarios = build_scenario_cases(pool, bodies, offered, accepted or offered)
    return (*add_company(values, bodies, accepted), *others, *scenarios)


def load_equivalent(path: Path | None = None) -> dict[str, str]:
    """Read the mutants that no case can see, with the reasons; raise ValueError if the file is unusable."""
    file = path or data_file("fixtures/equivalent-mutants.yaml")
    entries = read_yaml(file) or []
    if not isinstance(entries, list) or not all(
        isinstance(e, dict) and {"mutant", "reason"} <= e.keys() for e in entries
    ):
        raise ValueError(f"{file}: each entry needs mutant and reason")
    return {str(entry["mutant"]): str(entry["reason"]) for entry in entries}


def run_cases(executor: Executor, cases: Iterable[Case]) -> Iterator[Observation]:
    """Yield an observation per case, until the target stops responding."""
    for case in cases:
        try:
            yield run_race(executor, case) if case.layer == "race" else executor.run_case(case)
        except TargetGone:
            return


def import_factory(name: str) -> Factory:
    """Return the factory of ``wsgi:module:factory``; raise TargetError if there is none."""
    if "://" in name:
        raise TargetError(
            f"{name} is a deployment, which serves one contract only; give wsgi:module:factory, an app that is "
            "called as factory(spec=document)"
        )
    with report_foreign_errors(name, "give wsgi:module:factory, called as factory(spec=document)"):
        factory = import_object(name.removeprefix("wsgi:"))
    if not callable(factory):
        raise TargetError(f"{name} is not a factory; it is called as factory(spec=document)")

    def build_app(**options: Any) -> Any:
        with report_foreign_errors(name):
            return factory(**options)

    return build_app
