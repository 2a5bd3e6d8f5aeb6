"""Builds an executor from a target, the callers and the options of a run."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from contract_tests.cases.callers import Caller, build_caller_pool, load_callers
from contract_tests.cases.tables import load_bodies
from contract_tests.cases.value_templates import SlugFactory
from contract_tests.contract.resources import data_file
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import Spec, load_spec
from contract_tests.execution.controls.controls import Controls
from contract_tests.execution.executor import Executor
from contract_tests.execution.own_contract import compare_contract
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.execution.sending.limits import CreateBudget, RequestBudget
from contract_tests.execution.sending.sender import Sender
from contract_tests.targets.base import Target
from contract_tests.targets.control_hook import ControlHook
from contract_tests.targets.exchange import Redactor


@dataclass(frozen=True, slots=True)
class ExecutorOptions:
    """Options of an executor.

    ``spec_path`` is another contract, with its ``rules.yaml`` beside it; ``spec`` is the same, already parsed.
    """

    spec_path: Path | None = None
    spec: Spec | None = None
    control_hook: str | None = None
    slug_prefix: str = "ck-"
    max_created: int | None = None
    max_requests: int | None = None
    refuse_only: bool = False
    traced: bool = False


DEFAULT_OPTIONS = ExecutorOptions()


def open_executor(
    target: Target,
    callers: Iterable[Caller] | None = None,
    options: ExecutorOptions = DEFAULT_OPTIONS,
    created_log: CreatedLog | None = None,
) -> Executor:
    """Return an executor for a target, with the fixtures' callers by default; raise ValueError if it cannot work."""
    all_callers = tuple(callers) if callers is not None else load_callers(data_file("fixtures/callers.yaml"))
    log = created_log or CreatedLog()
    rules_path = options.spec_path.parent / "rules.yaml" if options.spec_path else None
    bodies = load_bodies()
    spec = options.spec or load_spec(options.spec_path)
    catalogue = load_catalogue(rules_path if rules_path and rules_path.is_file() else None)
    sender = Sender(
        target=target,
        spec=spec,
        redactor=Redactor(caller.token for caller in all_callers),
        created_log=log,
        budget=CreateBudget(log, max_created=options.max_created, refuse_only=options.refuse_only),
        plain_body=bodies["deployed"],
        traced=options.traced,
        request_budget=RequestBudget(options.max_requests),
    )
    controls = Controls(
        sender=sender,
        caller_pool=build_caller_pool(all_callers),
        bodies=bodies,
        slugs=SlugFactory(options.slug_prefix),
        refuse_only=options.refuse_only,
    )
    return Executor(
        sender=sender,
        controls=controls,
        catalogue=catalogue,
        hook=ControlHook(options.control_hook, target) if options.control_hook else None,
        own_contract=compare_contract(spec, catalogue) if spec.path else None,
    )
