"""Team labels: keys of another team than the callers file says, for which a right deployment looks broken.

A key acts for a team if it can update a service of that team, and if a slug of that team is taken for it. A
deployment that breaks one rule shows only one of the two.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from contract_tests.cases.callers import CREDENTIAL_KINDS, Caller, CallerPool
from contract_tests.cases.model import Step
from contract_tests.execution.controls.controls import Owner
from contract_tests.execution.executor import Executor
from contract_tests.execution.sending.context import CannotRun, CaseContext
from contract_tests.results.observation import Observation
from contract_tests.targets.base import BUSY_STATUSES, NoResponse, is_success

_TEAMS = ("red", "blue")
_OTHER = {"red": "blue", "blue": "red"}
_SLUG = "taken"  # a label: a new slug for each pair

Relation = Literal["same", "different", "unclear"]
#: By whether an update of the other's service, and a create with its slug, are accepted.
_RELATIONS: Mapping[tuple[bool | None, ...], Relation] = {(True, False): "same", (False, True): "different"}


def find_wrong_labels(executor: Executor) -> dict[str, str]:
    """Return the names of the keys whose team is wrong in the callers file, each with what shows it.

    The team of a JWT is the one that it sends, so a JWT is never wrong, and decides which key is. A run that may
    create nothing asks nothing.
    """
    if executor.controls.refuse_only:
        return {}
    leaders = {team: owner for team in _TEAMS if (owner := _choose_leader(executor, team))}
    if len(leaders) < len(_TEAMS):
        return {}
    between = _relate(executor, leaders["blue"], leaders["red"])
    are_sent = all(owner.caller.kind == "jwt" for owner in leaders.values())
    if between == "unclear" or (are_sent and between == "same"):
        return {}
    pool = executor.controls.caller_pool
    found = {
        key.name: _compare(executor, Owner(key, pool.team_role(key)), leaders, between)
        for key in _list_keys(pool)
    }
    return {name: text for name, text in found.items() if text}


def _compare(executor: Executor, key: Owner, leaders: Mapping[str, Owner], between: Relation) -> str:
    """Return what shows that a key is of another team than the callers file says, or an empty string."""
    own, other = leaders[key.role], leaders[_OTHER[key.role]]
    acts = f"acts for the team of {other.caller.name}"
    if key.caller.name == own.caller.name:  # of two keys, the one of the team with most callers is believed
        return acts if between == "same" and (key.role == "blue" or other.caller.kind == "jwt") else ""
    if _relate(executor, key, own) != "different":
        return ""
    if _relate(executor, key, other) == "same":
        return acts
    # The leader of its own team is itself wrong then, or is all that is left of that team.
    return f"does not act for the team of {own.caller.name}" if between == "same" else ""


def describe_wrong_label(name: str, shown: str) -> str:
    """Return what the verdict says of a key whose team is wrong."""
    return f"{name} ({shown}: check its `teams` in the callers file; if they are right, the deployment mixes teams)"


def list_callers(observation: Observation) -> set[str]:
    """Return the names of the callers that sent the requests of an observation."""
    return {exchange.caller for exchange in (*observation.setup, *observation.exchanges)}


def _list_keys(pool: CallerPool) -> Iterator[Caller]:
    """Yield the service and deploy keys of the two teams."""
    teams = {pool.red, pool.blue}
    return (one for one in pool.callers if one.kind in CREDENTIAL_KINDS and teams.intersection(one.teams))


def _choose_leader(executor: Executor, team: str) -> Owner | None:
    """Return the caller that stands for a team: a JWT, or else the first key."""
    pool = executor.controls.caller_pool
    jwt = pool.find_caller(f"jwt-{team}")
    caller = jwt or next((key for key in _list_keys(pool) if pool.team_role(key) == team), None)
    return Owner(caller, team) if caller else None


def _relate(executor: Executor, one: Owner, other: Owner) -> Relation:
    """Return whether a caller acts for the team for which another one creates a service."""
    context = CaseContext(executor.controls.caller_pool, executor.controls.slugs)
    plain = executor.controls.bodies["deployed"]
    try:
        base = executor.controls.find_base("deployed", other)
        created = _is_accepted(executor, context, Step(caller=_name(other), body=plain, slug=_SLUG))
        if not created or base is None:
            return "unclear"
        update = Step("updateContainer", _name(one), body=base)
        again = Step(caller=_name(one), body=plain, slug=_SLUG, as_="second")
        found = tuple(_is_accepted(executor, context, step) for step in (update, again))
    except CannotRun:
        return "unclear"
    return _RELATIONS.get(found, "unclear")


def _name(owner: Owner) -> str:
    """Return the role that only one caller has, for one team."""
    return f"{owner.caller.name}@{owner.role}"


def _is_accepted(executor: Executor, context: CaseContext, step: Step) -> bool | None:
    """Return whether a step is accepted; None if the response decides nothing."""
    response = executor.sender.send_step(context, step)
    if isinstance(response, NoResponse) or response.status in BUSY_STATUSES or response.status >= 500:
        return None
    return is_success(response)
