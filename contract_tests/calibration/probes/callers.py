"""Probes of who may call, and for which team."""

from contract_tests.calibration.probes import faults
from contract_tests.calibration.probing.comparison import find_told
from contract_tests.calibration.probing.prober import Judged, Prober, Sender
from contract_tests.calibration.probing.sighting import (
    Answer,
    CannotSee,
    Sighting,
    find_reaction,
    require_reaction,
    see,
    see_status,
)
from contract_tests.calibration.probing.stored import can_read

_UNKNOWN = {"sk": "unknown", "dk": "unknown-dk", "jwt": "unknown-jwt"}


def unauthenticated_status(prober: Prober) -> Sighting:
    """See the status without a usable Authorization."""
    return see_status(
        [faults.ask(prober, each) for each in (faults.NO_TOKEN, faults.BASIC, faults.EMPTY_TOKEN)]
    )


def bearer_case(prober: Prober) -> Sighting:
    """See whether bearer and BEARER are read."""
    answers = [
        prober.update(
            f"with the scheme {scheme}",
            headers=(("Authorization", f"{scheme} {{token}}"),),
            judged=Judged("auth-bearer"),
        )
        for scheme in ("bearer", "BEARER")
    ]
    return see("any" if find_reaction(answers) == "accepted" else "exact", answers)


def unknown_tokens(prober: Prober) -> Sighting:
    """See whether tokens are refused that were never issued."""
    answers = _ask_unknown(prober)
    return see(find_reaction(answers), answers)


def unknown_token_status(prober: Prober) -> Sighting:
    """See the status of an unknown token."""
    return see_status(_ask_unknown(prober))


def _ask_unknown(prober: Prober) -> list[Answer]:
    kinds = {caller.kind for caller in prober.wire.executor.controls.caller_pool.callers}
    return [
        prober.create(f"with an unknown {kind} token", judged=Judged("auth-known"), sender=Sender(role))
        for kind, role in _UNKNOWN.items()
        if kind in kinds
    ]


def agent_key_status(prober: Prober) -> Sighting:
    """See the status of an agent key; one that an unknown token has, too, may be about the token."""
    answer = require_reaction(faults.ask(prober, faults.AGENT_KEY), "refused")
    unknown = {each.status for each in _ask_unknown(prober) if each.reaction == "refused"}
    return see(answer.status, [answer], "medium" if answer.status in unknown else "high")


def service_keys(prober: Prober) -> Sighting:
    """See whether sk- keys may use the operations; a 401 counts only if the read-back takes the token."""
    roles = [role for role in ("sk-red", "sk-blue") if prober.wire.listed.find_caller(role)]
    if not roles:
        raise CannotSee("needs an sk- caller; add one to the callers file")
    if prober.wire.executor.controls.caller_pool.find_caller("sk-red"):
        return see("accepted", [prober.require_plain_update("sk-red")])
    answers = [prober.create("as an sk- service key", sender=Sender(role, listed=True)) for role in roles]
    if find_reaction(answers) == "accepted":
        return see("accepted", answers)
    status = see_status(answers).option
    is_known = can_read(prober, roles[0])
    if status not in (401, 403):
        raise CannotSee(f"sk- keys are refused with {status}, which is no option")
    if status == 401 and not is_known:
        raise CannotSee("sk- keys are refused with 401, and nothing shows that their tokens are right")
    return see(f"refused-{status}", answers, "high" if is_known else "medium")


def empty_team(prober: Prober) -> Sighting:
    """See whether an empty X-Team-ID is answered as a missing or as a malformed one."""
    prober.require_plain_update("jwt-red")
    missing, malformed, empty = (
        require_reaction(faults.ask(prober, each), "refused")
        for each in (faults.NO_TEAM, faults.MALFORMED_TEAM, faults.EMPTY_TEAM)
    )
    told = find_told(empty, missing, malformed)
    option = {"first": "missing", "second": "malformed"}.get(told)
    if option is None:
        raise CannotSee(
            "the refusal of an empty X-Team-ID is neither like that of a missing nor of a malformed one"
        )
    same_status = missing.status == malformed.status
    return see(option, [empty, missing, malformed], "medium" if same_status else "high")


def malformed_team_status(prober: Prober) -> Sighting:
    """See the status of an X-Team-ID that is no UUID."""
    prober.require_plain_update("jwt-red")
    return see_status([faults.ask(prober, faults.MALFORMED_TEAM)])


def foreign_teams(prober: Prober) -> Sighting:
    """See whether a JWT may name a team to which it does not belong."""
    answer = _ask_foreign_team(prober)
    return see(find_reaction([answer]), [answer])


def foreign_team_status(prober: Prober) -> Sighting:
    """See the status of a team to which the caller does not belong."""
    return see_status([_ask_foreign_team(prober)])


def _ask_foreign_team(prober: Prober) -> Answer:
    prober.require_plain_update("jwt-red")
    sender = Sender("jwt-red", team="blue")
    return prober.create("as a JWT of another team", sender=sender, judged=Judged("team-member"))
