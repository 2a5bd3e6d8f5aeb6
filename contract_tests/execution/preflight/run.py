"""Preflight: a few requests that show whether the target can be judged, by which callers, and in which form."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from contract_tests.cases.callers import Caller, CallerPool
from contract_tests.cases.model import Step
from contract_tests.execution.executor import Executor
from contract_tests.execution.preflight.forms import confirm_form, use_form
from contract_tests.execution.preflight.plain_creates import (
    CannotJudge,
    Create,
    call_violated,
    create_plain,
    explain_refusals,
    last_response,
    open_context,
)
from contract_tests.execution.preflight.refused_callers import (
    call_caller_violated,
    find_forbidden_team,
    judge_named_teams,
    leave_out_teams,
    suspect_callers_file,
)
from contract_tests.execution.preflight.settling import describe_wait, find_settling
from contract_tests.execution.sending.context import CannotRun, CaseContext
from contract_tests.execution.sending.create_forms import PLAIN, CreateForm, list_create_forms
from contract_tests.execution.sending.limits import BudgetSpent, TargetGone
from contract_tests.execution.workers import Workers
from contract_tests.results.judge import describe_response, parse_json_object, read_id
from contract_tests.results.observation import Observation
from contract_tests.targets.base import BUSY_STATUSES, Response, is_success
from contract_tests.targets.clock import RunStopped

_REFUSE_ONLY = "--refuse-only: refusals were not compared with the same request without its fault"
#: Another form of the body cannot help against these: the caller or the path is wrong, or the target too busy.
_FORM_INDEPENDENT_STATUSES = (401, 403, 404, 405, 501, *BUSY_STATUSES)


@dataclass(frozen=True, slots=True)
class PreflightResult:
    """Callers that can act, the form of their creates, whether state can be read back, and what was seen.

    ``unusable_callers`` names the listed callers that the target refuses, each with the reason. ``settling`` is how
    many seconds an update must wait for a new service.
    """

    caller_pool: CallerPool
    readback: bool
    notes: tuple[str, ...]
    unusable_callers: tuple[str, ...] = ()
    form: CreateForm = PLAIN
    observations: tuple[Observation, ...] = ()
    settling: float = 0.0


def run_preflight(executor: Executor, workers: Workers | None = None) -> PreflightResult:
    """Try a plain create with every caller; raise CannotJudge with a hint if none of them can create anything.

    Once one is accepted, the ``workers`` send those of the other callers.
    """
    if executor.controls.refuse_only:
        return _run_refuse_only(executor)
    limit = executor.sender.created_log.possible + 2  # a resumed run has created services before
    try:
        return _Preflight(executor, workers or Workers(1, executor.sender.target.clock), limit).run()
    except TargetGone as gone:
        raise CannotJudge(f"{executor.sender.target.name} {gone}") from None
    except CannotRun as error:
        name = executor.sender.target.name
        problem = f"{name} cannot be judged: {error} in the preflight"
        raise CannotJudge(_name_limit(problem, limit)) from None
    except BudgetSpent:
        enough = 2 * len(executor.controls.caller_pool.callers) + 2
        raise CannotJudge(
            f"--budget is too small: trying each caller takes more requests; give {enough} or more"
        ) from None
    except RunStopped as stopped:
        name, when = executor.sender.target.name, str(stopped) or "before it had responded"
        raise CannotJudge(f"{name} cannot be judged: the time was up {when}") from None


def apply_preflight(executor: Executor, result: PreflightResult) -> None:
    """Let an executor use the callers, the form and the read-back that a preflight found."""
    executor.controls.caller_pool, executor.readback = result.caller_pool, result.readback
    executor.sender.settling = result.settling
    use_form(executor, result.form)


@dataclass(slots=True)
class _Preflight:
    """A preflight while it runs: the callers that can act, those that cannot, and the first form accepted."""

    executor: Executor
    workers: Workers
    limit: int  # of --max-created, which is enough
    form: CreateForm | None = None
    ready: list[Caller] = field(default_factory=list)
    refused: dict[str, tuple[Caller, Response]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    created: list[tuple[Caller, CaseContext]] = field(default_factory=list)
    readback: bool = False
    settling: float = 0.0

    def run(self) -> PreflightResult:
        pool = self.executor.controls.caller_pool
        self.ready += (caller for caller in pool.callers if caller.kind == "ak")
        self._try_callers([caller for caller in pool.callers if caller.kind != "ak"])
        names = [caller.name for caller in pool.callers]
        self.ready.sort(key=lambda caller: names.index(caller.name))
        able = [caller for caller in self.ready if caller.kind != "ak"]
        if not able and not self.refused:
            problem = self.notes[0] if self.notes else "no caller that may create; an ak- key may not"
            raise CannotJudge(_name_limit(problem, self.limit))
        if not able:
            raise CannotJudge(_explain_refusals(self.executor.sender.target.name, self.refused))
        forbidden = self._probe(able[0])
        unusable = self._judge_refused_callers()
        self.observations += judge_named_teams(self.executor, self.ready)
        self.ready, reasons = leave_out_teams(pool.blue, self.ready, forbidden)
        rejected = tuple(caller for caller, _ in self.refused.values())
        able_pool = replace(pool, callers=tuple(self.ready), rejected=rejected)
        return PreflightResult(
            able_pool,
            self.readback,
            (*self.notes, *describe_wait(self.settling)),
            (*unusable, *reasons),
            self.form or PLAIN,
            tuple(self.observations),
            self.settling,
        )

    def _try_callers(self, callers: list[Caller]) -> None:
        """Try each form with one caller after another until one is accepted, then send that of the others."""
        waiting = deque(callers)
        while waiting and self.form is None:
            caller = waiting.popleft()
            for form in list_create_forms(self.executor.controls.bodies):
                use_form(self.executor, form)
                if self._observe(form, *self._create(caller)):
                    break
        if self.created:
            self.settling = find_settling(self.executor, *self.created[-1])  # now, since the service is new
        for result in self.workers.run_every(self._create, waiting):
            self._observe(self.form or PLAIN, *result)

    def _probe(self, able: Caller) -> dict[str, int]:
        """Send at once what no other request waits for; return the status of each caller's forbidden second team."""
        forbidden: dict[str, int] = {}

        def find_forbidden(caller: Caller) -> None:
            forbidden[caller.name] = find_forbidden_team(self.executor, caller)

        probes = (
            partial(_check_same_api, self.executor, able),
            self._find_readback,
            *(partial(find_forbidden, caller) for caller in self.ready),
        )
        self.workers.run_every(lambda probe: probe(), probes)
        if self.settling and not self.readback:
            self._find_readback()  # by now it shows the services
        return forbidden

    def _find_readback(self) -> None:
        """Read the created services until one is shown."""
        self.readback = any(_offers_readback(self.executor, *create) for create in self.created)

    def _create(self, caller: Caller) -> tuple[Caller, Create | CannotRun]:
        try:
            return caller, create_plain(self.executor, caller)
        except CannotRun as error:
            return caller, error

    def _observe(self, form: CreateForm, caller: Caller, create: Create | CannotRun) -> bool:
        """Record whether a caller can create a service in a form; return whether other forms cannot help."""
        if isinstance(create, CannotRun):
            self.notes.append(f"{caller.name} was not tried: {create}")
            return True
        able, observation, context = create
        if able is not None:
            self._accept(able, form, observation, context)
            return True
        response = last_response(observation)
        self.refused.setdefault(caller.name, (caller, response))
        return response.status in _FORM_INDEPENDENT_STATUSES

    def _accept(self, able: Caller, form: CreateForm, observation: Observation, context: CaseContext) -> None:
        refused = self.refused.pop(able.name, None)
        self.ready.append(able)
        self.created.append((able, context))
        if form is PLAIN:
            self.executor.controls.keep_shared(able, context)
        if observation.judgement.outcome == "violated":
            self.observations.append(observation)
        if refused and _is_server_error(refused[1]):
            reason = "the first create got a server error, which is never correct"
            self.observations.append(call_violated(observation, "created", reason, refused[1]))
        if self.form is None:
            self.form = form
            if form is not PLAIN and refused is not None:
                self.form, refusals = confirm_form(self.executor, able, form)
                self.observations += refusals
            use_form(self.executor, self.form)

    def _judge_refused_callers(self) -> tuple[str, ...]:
        """Record what a refused caller shows, and return those that the verdict must name."""
        unusable = []
        chosen = _refuses_every_service_key(self.ready, self.refused)
        for name, (caller, response) in self.refused.items():
            if chosen and caller.kind == "sk":
                self.notes.append(f"{name}: this deployment refuses sk- keys ({response.status}), as it may")
                continue
            unusable.append(f"{name} ({self._judge_refused_caller(caller, response)})")
        return tuple(unusable)

    def _judge_refused_caller(self, caller: Caller, response: Response) -> str:
        """Return why a caller cannot be used; record a violation if the callers file cannot explain it."""
        if response.status == 401:
            return "401: check its token"
        if caller.kind not in ("jwt", "dk"):
            return describe_response(response)
        suspect = suspect_callers_file(self.executor, caller, response.status)
        if suspect:
            return f"{response.status}: check {suspect} in the callers file"
        if response.status != 403 and not _is_server_error(response):
            return describe_response(response)
        _, observation, _ = create_plain(self.executor, caller)
        if observation.judgement.outcome == "violated":
            reason = "refused a valid create by a caller that may create"
            self.observations.append(call_caller_violated(self.executor, caller, observation, reason))
        return describe_response(response)


def _name_limit(problem: str, limit: int) -> str:
    """Return a problem, with the limit that is enough if it is about --max-created."""
    return f"{problem}; give {limit} or more" if "--max-created" in problem else problem


def _explain_refusals(target: str, refused: Mapping[str, tuple[Caller, Response]]) -> str:
    """Return why no caller can create; a 404 may also stand for the team that a JWT names."""
    responses = {name: response for name, (_, response) in refused.items()}
    problem = explain_refusals(target, responses)
    jwt = all(caller.kind == "jwt" for caller, _ in refused.values())
    if jwt and {response.status for response in responses.values()} == {404}:
        names = ", ".join(responses)
        problem += f"; or a 404 stands for a team of others: check `teams` of {names} in the callers file"
    return problem


def _refuses_every_service_key(ready: list[Caller], refused: Mapping[str, tuple[Caller, Response]]) -> bool:
    """Return whether every sk- caller is refused with 401 or 403, which a deployment may choose."""
    statuses = {response.status for caller, response in refused.values() if caller.kind == "sk"}
    return statuses <= {401, 403} and not any(caller.kind == "sk" for caller in ready)


def _is_server_error(response: Response) -> bool:
    return response.status >= 500 and response.status not in BUSY_STATUSES


def _offers_readback(executor: Executor, caller: Caller, context: CaseContext) -> bool:
    if "service" not in context.services or "service" not in context.service_slugs:
        return False
    role = context.caller_pool.team_role(caller)
    response = executor.sender.send_step(context, Step("readContainer", role))
    shown = parse_json_object(response) if is_success(response) else None
    wanted = {"service_slug": context.service_slugs["service"], "id": context.services["service"]}
    return shown is not None and any(shown.get(name) == value for name, value in wanted.items())


def _check_same_api(executor: Executor, caller: Caller) -> None:
    """Raise CannotJudge if garbage is accepted like a valid create: then something else is at this URL."""
    context = open_context(executor, caller)
    role = context.caller_pool.team_role(caller)
    probe = Step(caller=role, raw='{"neither": ', headers=(("Authorization", None),), expect="refuse")
    response = executor.sender.send_step(context, probe)
    if is_success(response) and read_id(response) is None:
        raise CannotJudge(
            f"{executor.sender.target.name} is not this API: it accepts a create that is not JSON and has no "
            "token; give the base URL of POST /containers"
        )


def _run_refuse_only(executor: Executor) -> PreflightResult:
    """Create nothing; check only that an invalid create is refused as a create, not as an unknown path."""
    pool = executor.controls.caller_pool
    caller = next((c for c in pool.callers if c.kind != "ak"), None)
    if caller is None:
        raise CannotJudge("no caller that may create is given")
    context = open_context(executor, caller)
    role = context.caller_pool.team_role(caller)
    try:
        response = executor.sender.send_step(context, Step(caller=role, body={}, slug="", expect="refuse"))
    except CannotRun as error:
        raise CannotJudge(str(error)) from None
    if not isinstance(response, Response) or not _handles_creates(response):
        raise CannotJudge(explain_refusals(executor.sender.target.name, {caller.name: response}))
    return PreflightResult(pool, False, (_REFUSE_ONLY,))


def _handles_creates(response: Response) -> bool:
    """Return whether this could be the response to an empty create: refused, or stored all the same."""
    if response.status < 400:
        return read_id(response) is not None
    return response.status < 500 and response.status not in (401, 403, 404, 405, 429)
