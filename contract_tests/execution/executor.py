"""Executor: runs cases against a target and judges the responses."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_tests.cases.model import Case, Step
from contract_tests.cases.value_templates import fill_templates
from contract_tests.contract.rules import Catalogue, Rule
from contract_tests.execution.controls.accepted_values import accepts_credentials
from contract_tests.execution.controls.controls import Controls
from contract_tests.execution.late_reads import LateReads
from contract_tests.execution.own_contract import SAYS_OTHERWISE, OwnContract
from contract_tests.execution.sending.context import CannotRun, CaseContext, ControlFailed
from contract_tests.execution.sending.limits import SeenIds
from contract_tests.execution.sending.sender import Sender
from contract_tests.generation.oracle import CREDENTIAL_PROPERTY
from contract_tests.results.judge import (
    HOOK_FAILED,
    REPEATED_ID,
    SETUP_FAILED,
    SUCCESS_RULES,
    Judgement,
    Outcome,
    judge_readback,
    judge_response,
    read_id,
)
from contract_tests.results.observation import Observation
from contract_tests.results.verdict import REFUSE_ONLY_LEFT_OUT
from contract_tests.targets.base import BUSY_STATUSES, NoResponse, Response
from contract_tests.targets.control_hook import StatusHook

_SLUG_TRIES = 3
_SHORT_SLUG = 6  # characters; a shorter one may be taken by chance
_NEEDS_HOOK = "needs --control-hook to set a service's status"
_REFUSE_ONLY = "--refuse-only sends no request that could show whether a credential reference must exist"
_NO_CREDENTIAL = "every credential reference is refused here; perhaps a referenced credential must exist"


@dataclass(slots=True)
class Executor:
    """Runs cases; one per run, safe to use from several threads.

    ``readback`` is true once the target is known to offer the read-back. ``own_contract`` is that of ``--spec``.
    """

    sender: Sender
    controls: Controls
    catalogue: Catalogue
    hook: StatusHook | None = None
    readback: bool = False
    late_reads: LateReads = field(default_factory=LateReads)
    own_contract: OwnContract | None = None
    _seen_ids: SeenIds = field(default_factory=SeenIds)

    def open_context(self, case: Case | None = None, *, lenient: bool = False) -> CaseContext:
        """Return the context of a case that is about to run."""
        case_id, rule = (case.id, case.rule) if case else ("", "")
        pool, slugs = self.controls.caller_pool, self.controls.slugs
        return CaseContext(pool, slugs, lenient=lenient, case_id=case_id, rule=rule)

    def run_case(self, case: Case) -> Observation:
        """Run the steps of a case in order and judge them, until one of them decides."""
        rule = self.catalogue[case.rule]
        context = self.open_context(case, lenient=rule.stage == "state")
        if self.hook is None and any(step.operation == "setStatus" for step in case.steps):
            return Observation(
                case, judge_missing(rule, CannotRun(_NEEDS_HOOK))
            )  # before anything is created
        try:
            for number, step in enumerate(case.steps, 1):
                if step.rule and step.operation == "readContainer" and not self.readback:
                    continue
                rule = self.catalogue[step.rule or case.rule]
                judgement = self.run_step(case, rule, step, context)
                if judgement.outcome == "passed":
                    continue
                # Compares values: a step that is sent twice in a row is judged both times.
                if step.rule:
                    case = replace(case, rule=step.rule, steps=case.steps[:number])
                elif step != case.steps[-1]:
                    judgement = _judge_setup(step, judgement)
                    if judgement.outcome == "violated":
                        case = replace(case, rule=judgement.rule, steps=case.steps[:number])
                break
        except CannotRun as error:
            judgement = judge_missing(rule, error)
        return Observation(case, judgement, tuple(context.exchanges), tuple(dict.fromkeys(context.setup)))

    def run_step(self, case: Case, rule: Rule, step: Step, context: CaseContext) -> Judgement:
        """Run one step of a case and judge it; raise CannotRun if it cannot be sent."""
        if step.operation == "setStatus":
            return self._set_status(rule, step, context)
        if step.operation == "readContainer" and not self.readback:
            raise CannotRun("the target offers no read-back")
        if self.controls.refuse_only and step.operation == "createContainer" and rule.grade == "assumed":
            raise CannotRun(REFUSE_ONLY_LEFT_OUT)
        if self.own_contract and self.own_contract.contradicts(step, rule.id):
            raise CannotRun(SAYS_OTHERWISE)
        step = self.controls.prepare_step(case, rule, step, context)
        if step.operation == "readContainer":
            return self.read_back(rule, step, context)
        response = self.sender.send_step(context, step)
        service = context.services.get(step.service) if step.operation == "updateContainer" else None
        judgement = judge_response(rule, step.expect or "accept", step.operation, response, service)
        if _has_short_slug(step) and _may_be_taken(step, response):
            return self._retry_short_slug(rule, step, context)
        repeated = step.operation == "createContainer" and self._seen_ids.add(read_id(response))
        if repeated and judgement.outcome != "violated":  # an accepted duplicate slug may give the stored id
            return replace(
                judgement, outcome="violated", rule="created", reason=REPEATED_ID, expected="a new id"
            )
        if _depends_on_credential(step, judgement) and not accepts_credentials(self.controls):
            outcome: Outcome = "inconclusive" if rule.id.startswith("external-credential") else "not observed"
            reason = _REFUSE_ONLY if self.controls.refuse_only else _NO_CREDENTIAL
            return replace(judgement, outcome=outcome, reason=reason)
        return judgement

    def read_back(self, rule: Rule, step: Step, context: CaseContext) -> Judgement:
        """Read a service back and judge the values that the step names; a write may show after a moment."""
        shows = fill_templates(self._select_shown(step), self.controls.slugs.new_slug)
        if step.slug is not None:
            shows["service_slug"] = context.slug_for(step.slug)
        service = context.services.get(step.service)
        return self.late_reads.judge(
            self.sender,
            context,
            step,
            lambda response: judge_readback(rule, shows.items(), response, service),
        )

    def _select_shown(self, step: Step) -> dict[str, Any]:
        """Return what a read-back must show, without properties that every create of this run has to send."""
        shows = {name: value for name, value in step.shows if name not in self.sender.form.extra}
        if step.shows and not shows:
            raise CannotRun("this target accepts no create without the property")
        return shows

    def _set_status(self, rule: Rule, step: Step, context: CaseContext) -> Judgement:
        if self.hook is None:
            raise CannotRun(_NEEDS_HOOK)
        if step.service not in context.services:
            raise CannotRun("the service of this case was not created")
        problem = self.hook.set_status(context.services[step.service], step.status or "")
        if problem:
            return Judgement("inconclusive", rule.id, f"{HOOK_FAILED}: {problem}")
        return Judgement("passed", rule.id)

    def _retry_short_slug(self, rule: Rule, step: Step, context: CaseContext) -> Judgement:
        """Try other slugs, since one of a few characters may be taken by chance."""
        for _ in range(_SLUG_TRIES):
            response = self.sender.send_step(context, step)
            judgement = judge_response(rule, step.expect or "accept", step.operation, response)
            if not _may_be_taken(step, response):
                return judgement
        if _status_of(response) != 409:
            return judgement
        return replace(
            judgement, outcome="inconclusive", reason="each of several slugs of this length was taken"
        )


def _judge_setup(step: Step, judgement: Judgement) -> Judgement:
    """Return the judgement on an earlier step that failed: it proves nothing about the rule of the case."""
    if judgement.server_error and step.expect != "refuse":
        success_rule = SUCCESS_RULES.get(step.operation, judgement.rule)
        return replace(judgement, rule=judgement.rule if step.expect == "open" else success_rule)
    if judgement.outcome == "not observed" or judgement.reason.startswith(HOOK_FAILED):
        return judgement
    return replace(judgement, outcome="inconclusive", reason=SETUP_FAILED)


def judge_missing(rule: Rule, error: CannotRun) -> Judgement:
    """Return the judgement on a case that could not be sent."""
    if isinstance(error, ControlFailed):
        return Judgement("inconclusive", rule.id, str(error))
    return Judgement("not observed", rule.id, str(error))


def _depends_on_credential(step: Step, judgement: Judgement) -> bool:
    """Return whether a refusal may be about the credential reference: it may have to exist."""
    if judgement.reaction != "refused" or _body_of(step).get(CREDENTIAL_PROPERTY) is None:
        return False
    return judgement.outcome != "passed" or judgement.rule.startswith("external-credential")


def _body_of(step: Step) -> Mapping[str, Any]:
    return step.body if isinstance(step.body, dict) else {}


def _has_short_slug(step: Step) -> bool:
    slug = _body_of(step).get("service_slug")
    if step.expect == "refuse":
        return isinstance(slug, str) and 0 < len(slug) < _SHORT_SLUG
    template = slug.get("$slug") if isinstance(slug, dict) else None
    return isinstance(template, dict) and template.get("length", 99) < _SHORT_SLUG


def _may_be_taken(step: Step, response: Response | NoResponse) -> bool:
    """Return whether the slug may be the reason of a refusal; no page tells the status of that."""
    status = _status_of(response)
    return status == 409 or (step.expect == "accept" and 400 <= status < 500 and status not in BUSY_STATUSES)


def _status_of(response: Response | NoResponse) -> int:
    return response.status if isinstance(response, Response) else 0
