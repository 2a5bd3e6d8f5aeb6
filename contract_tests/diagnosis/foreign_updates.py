"""Foreign updates: whether a success shows that a team changed the service of another team.

No page says how a deployment responds to an id that it does not know. One that accepts such an update accepts the id
of another team's service as well, and need not touch that service.
"""

import uuid
from dataclasses import replace

from contract_tests.cases.model import Case, Step
from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.limits import BudgetSpent
from contract_tests.results.observation import Observation
from contract_tests.targets.clock import RunStopped

_RULE = "team-scope"
_OURS, _THEIRS = {"display_name": "Ours"}, {"display_name": "Theirs"}


class ForeignUpdateCheck:
    """Says why an accepted update of another team's service proves nothing; asks the target once for two callers."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._reasons: dict[tuple[Step, Step], str] = {}

    def explain(self, observation: Observation) -> str:
        """Return why the violation proves nothing, an empty string if it stands."""
        case, judgement = observation.case, observation.judgement
        accepted = judgement.outcome == "violated" and judgement.reaction == "accepted"
        if judgement.rule != _RULE or not accepted or case.steps[-1].operation != "updateContainer":
            return ""
        create, update = _plain(_find_create(case)), _plain(case.steps[-1])
        if (create, update) not in self._reasons:
            try:
                self._reasons[create, update] = _explain_success(self._executor, create, update)
            except (BudgetSpent, RunStopped):
                return ""
        return self._reasons[create, update]


def _find_create(case: Case) -> Step:
    """Return the create of the service that the last step updates; another team's shared one is of team blue."""
    label = case.steps[-1].service
    creates = (step for step in case.steps if step.operation == "createContainer" and step.as_ == label)
    return next(creates, Step(caller="blue"))


def _plain(step: Step) -> Step:
    """Return a step without a body by the same caller for the same team."""
    return Step(step.operation, step.caller, team=step.team)


def _explain_success(executor: Executor, create: Step, update: Step) -> str:
    """Update an unknown service, and if that is accepted, one of the owner; return why a success proves nothing."""
    unknown = replace(update, body=_THEIRS, service=str(uuid.uuid4()), expect="refuse")
    judgement = executor.run_case(
        Case("foreign/unknown", "service-exists", "lifecycle", (unknown,))
    ).judgement
    if judgement.reaction != "accepted":
        return ""
    steps = (
        replace(create, body={**executor.controls.bodies["deployed"], **_OURS}),
        replace(update, body=_THEIRS),
        replace(create, operation="readContainer", shows=tuple(_OURS.items())),
    )
    shown = executor.run_case(Case("foreign/update", _RULE, "lifecycle", steps)).judgement
    if shown.outcome == "violated":
        return ""
    effect = "and changes nothing" if shown.outcome == "passed" else "so a success shows no change"
    return f"an update of an unknown id is accepted as well, {effect}"
