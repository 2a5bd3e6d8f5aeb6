"""The preflight: a few requests that tell whether the target can be judged, and by which callers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from contract_tests.cases.callers import CREDENTIALS, Caller, Cast
from contract_tests.cases.model import Step
from contract_tests.execution.context import NotObserved, Scene
from contract_tests.execution.executor import Player
from contract_tests.results.judge import answered_id, describe, json_object
from contract_tests.targets.base import Reply, Unanswered

_REFUSE_ONLY = "--refuse-only: a refusal was not held against the same request without its fault"


class CannotJudge(Exception):  # noqa: N818 - no error of ours: exit code 3
    """The target cannot be judged; its text is one line that says why."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """Who can act (with how), whether state can be seen, and what there is to say about it."""

    cast: Cast
    readback: bool
    notes: tuple[str, ...]


def preflight(player: Player) -> Preflight:
    """Try one valid create with every caller; CannotJudge where none can, in words that say what to do."""
    if player.refuse_only:
        return _refuse_only(player)
    replies: dict[str, Reply | Unanswered] = {}
    ready, notes, gone = [], [], []
    readback = False
    for caller in player.cast.callers:
        if caller.kind == "ak":
            ready.append(caller)
            continue
        try:
            able, reply, scene = _try(player, caller)
        except NotObserved as missing:
            notes.append(f"{caller.name} was not tried: {missing}")
            continue
        replies[caller.name] = reply
        if able is None:
            gone.append(caller.name)
            notes.append(f"{caller.name} cannot create a service here: {describe(reply)}")
            continue
        ready.append(able)
        readback = readback or _reads_back(player, able, scene)
    if not replies:
        raise CannotJudge(notes[0] if notes else "no caller that may create is given; an ak- key may not")
    if len(gone) == len(replies):
        raise CannotJudge(_why(player.target.url, replies))
    _same_api(player, next(c for c in ready if c.kind != "ak"))
    return Preflight(replace(player.cast, callers=tuple(ready), refused=tuple(gone)), readback, tuple(notes))


def _try(player: Player, caller: Caller) -> tuple[Caller | None, Reply | Unanswered, Scene]:
    """Create a plain service; a credential that is refused without X-Team-ID tries once more with it."""
    attempts = [caller]
    if caller.kind in CREDENTIALS and caller.teams:
        attempts.append(replace(caller, always_team=True))
    for attempt in attempts:
        scene = Scene(player.cast.only(attempt), player.slugs)
        role = scene.cast.part(attempt)
        reply = player.send(scene, Step(caller=role, body=player.bodies["deployed"]), [])
        if isinstance(reply, Reply) and 200 <= reply.status < 300:
            return attempt, reply, scene
        if isinstance(reply, Unanswered):
            raise CannotJudge(
                f"{player.target.url} cannot be judged: {reply.reason}; is it up, and is the URL right?"
            )
    return None, reply, scene


def _reads_back(player: Player, caller: Caller, scene: Scene) -> bool:
    if "service" not in scene.services or "service" not in scene.slug_of:
        return False
    role = scene.cast.part(caller)
    reply = player.send(scene, Step("readContainer", role), [])
    shown = json_object(reply) if isinstance(reply, Reply) and 200 <= reply.status < 300 else None
    same = {"service_slug": scene.slug_of["service"], "id": scene.services["service"]}
    return shown is not None and any(shown.get(name) == value for name, value in same.items())


def _same_api(player: Player, caller: Caller) -> None:
    """Garbage that is accepted just as a valid create means that something else answers here."""
    scene = Scene(player.cast.only(caller), player.slugs)
    role = scene.cast.part(caller)
    probe = Step(caller=role, raw='{"neither": ', headers=(("Authorization", None),), expect="refuse")
    garbage = player.send(scene, probe, [])
    if isinstance(garbage, Reply) and 200 <= garbage.status < 300 and answered_id(garbage) is None:
        raise CannotJudge(
            f"{player.target.url} is not this API: it accepts a create that is no JSON and has no token; "
            "give the base URL under which POST /containers is found"
        )


def _refuse_only(player: Player) -> Preflight:
    """Nothing may be created: see only that a create is refused as one, and not because it is unknown."""
    caller = next((c for c in player.cast.callers if c.kind != "ak"), None)
    if caller is None:
        raise CannotJudge("no caller that may create is given")
    scene = Scene(player.cast.only(caller), player.slugs)
    role = scene.cast.part(caller)
    try:
        reply = player.send(scene, Step(caller=role, body={}, slug="", expect="refuse"), [])
    except NotObserved as missing:
        raise CannotJudge(str(missing)) from None
    if not isinstance(reply, Reply) or not _reads_creates(reply):
        raise CannotJudge(_why(player.target.url, {caller.name: reply}))
    return Preflight(player.cast, False, (_REFUSE_ONLY,))


def _reads_creates(reply: Reply) -> bool:
    """Say whether this is how a create is answered that lacks everything: refused, or stored all the same."""
    if reply.status < 400:
        return answered_id(reply) is not None
    return reply.status < 500 and reply.status not in (401, 403, 404, 405, 429)


def _why(url: str, replies: Mapping[str, Any]) -> str:
    statuses = {reply.status for reply in replies.values() if isinstance(reply, Reply)}
    if statuses and statuses <= {401, 403}:
        return f"{url} refuses every caller ({', '.join(replies)}); check the tokens and teams in the callers file"
    if statuses and statuses <= {404, 405, 501}:
        return f"{url} is not this API: POST /containers is not found there; check the base URL (it ends in /api/v1)"
    if statuses and max(statuses) < 300:
        return f"{url} is not this API: it accepts a create of nothing and answers no id; check the base URL"
    if statuses and max(statuses) < 400:
        return f"{url} is not this API: it redirects POST /containers; give the URL that it redirects to"
    if statuses and statuses <= {429, 503}:
        return f"{url} is too busy to be judged; try again later or with --rate"
    name, reply = next(iter(replies.items()))
    if isinstance(reply, Unanswered):
        return f"{url} cannot be judged: {reply.reason}"
    return f"{url} refuses a valid create by every caller; {name} got {describe(reply)}"
