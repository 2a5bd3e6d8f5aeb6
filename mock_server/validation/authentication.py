"""Who calls, and for which team: Authorization and X-Team-ID become a caller and a team, or violations."""

import functools
from collections.abc import Callable

from mock_server.contract.loader import Contract, Fault, Operation, Parameter, Violation
from mock_server.validation import schema
from mock_server.validation.body import Call
from mock_server.validation.callers import CREDENTIALS, UUID, Caller, Directory, kind_of

TEAM_HEADER = "X-Team-ID"
#: As it is called among the headers of a call.
TEAM_FIELD = TEAM_HEADER.title()
_WANTED = "Authorization: Bearer TOKEN"


def auth_required(header: str | None, _directory: Directory) -> Fault | None:
    """Every call carries Authorization."""
    return _unauthorized("no such header", _WANTED) if header is None else None


def auth_bearer(header: str | None, _directory: Directory) -> Fault | None:
    """The scheme is Bearer, in any case, and the token is not empty."""
    if token_of(header):
        return None
    scheme = (header or "").split(" ", 1)[0]
    seen = "an empty header" if not scheme else "a scheme without a token"
    return _unauthorized(seen if scheme.lower() in {"", "bearer"} else "another scheme than Bearer", _WANTED)


def auth_agent(header: str | None, directory: Directory) -> Fault | None:
    """An agent key does not open the REST surface."""
    token = token_of(header)
    caller = directory.known(token)
    if (caller.kind if caller else kind_of(token)) == "ak":
        return _unauthorized(
            "an agent key (ak-)", "a user-session JWT, a service key (sk-) or a deploy key (dk-)"
        )
    return None


def auth_known(header: str | None, directory: Directory) -> Fault | None:
    """The server issued the token."""
    known = directory.known(token_of(header))
    return None if known else _unauthorized("a token that was never issued", "the token of a known caller")


#: In this order; the first that finds a fault decides.
AUTHENTICATION: tuple[tuple[str, Callable[[str | None, Directory], Fault | None]], ...] = (
    ("auth-required", auth_required),
    ("auth-bearer", auth_bearer),
    ("auth-agent", auth_agent),
    ("auth-known", auth_known),
)


def team_required_for_jwt(given: str | None, _caller: Caller) -> Fault | None:
    """A JWT caller names its team."""
    seen, wanted = "no such header", "the UUID of one of the caller's teams"
    return Fault("header", f"/{TEAM_HEADER}", seen, wanted) if given is None else None


def team_member(given: str | None, caller: Caller) -> Fault | None:
    """A JWT caller belongs to the team that it names; what is no UUID is no team."""
    if given is None or not UUID.fullmatch(given) or not caller.teams or given.lower() in caller.teams:
        return None
    seen, wanted = "a team that the caller does not belong to", "one of the caller's teams"
    return Fault("header", f"/{TEAM_HEADER}", seen, wanted)


#: For a JWT caller; the form of the header is the contract's to say.
TEAM: tuple[tuple[str, Callable[[str | None, Caller], Fault | None]], ...] = (
    ("team-required-for-jwt", team_required_for_jwt),
    ("team-member", team_member),
)


def team_ignored_for_credentials(given: str, caller: Caller, holds: bool) -> str:
    """The team of a credential is its own, whatever the header says."""
    return caller.teams[0] if holds else given.lower()


#: What is accepted, so that there is nothing to refuse: the table is for completeness.
PERMISSIONS = (("team-ignored-for-credentials", team_ignored_for_credentials),)


def _unauthorized(seen: str, wanted: str) -> Fault:
    return Fault("header", "/Authorization", seen, wanted)


@functools.lru_cache(100)
def token_of(header: str | None) -> str:
    """The token of an Authorization header, or an empty text."""
    scheme, _, token = (header or "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def identify(
    contract: Contract, directory: Directory, operation: Operation, call: Call
) -> Caller | list[Violation]:
    """The caller of a call; where the rule that refuses it is off, some known caller."""
    if not operation.secured:
        return directory.stand_in()
    header = call.headers.get("Authorization")
    for rule, check in AUTHENTICATION:
        fault = check(header, directory)
        if fault:
            return directory.stand_in() if rule in contract.off else [Violation(contract.rule(rule), fault)]
    return directory.known(token_of(header)) or directory.stand_in()


def team_of(contract: Contract, operation: Operation, call: Call, caller: Caller) -> str | list[Violation]:
    """The team that the call works for."""
    parameter, given = _parameter(operation), call.headers.get(TEAM_FIELD)
    if caller.kind in CREDENTIALS:
        return _team_of_credential(contract, parameter, given, caller)
    malformed = _malformed(contract, parameter, given)
    if malformed:
        return malformed
    for rule, check in TEAM:
        fault = check(given, caller)
        if fault and rule not in contract.off:
            return [Violation(contract.rule(rule), fault)]
    if given is not None and UUID.fullmatch(given):
        return given.lower()
    return (caller.teams or ("",))[0]


def _team_of_credential(
    contract: Contract, parameter: Parameter | None, given: str | None, caller: Caller
) -> str | list[Violation]:
    if given is None:
        if parameter is None or not parameter.required:
            return caller.teams[0]
        fault = Fault("header", f"/{TEAM_HEADER}", "no such header", "the UUID of a team")
        return [Violation(contract.rule(parameter.required_rule), fault)]
    holds = "team-ignored-for-credentials" not in contract.off
    malformed = [] if holds else _malformed(contract, parameter, given)
    return malformed or team_ignored_for_credentials(given, caller, holds)


def _malformed(contract: Contract, parameter: Parameter | None, given: str | None) -> list[Violation]:
    if parameter is None or given is None:
        return []
    return schema.check(contract, parameter.schema, given, "header", f"/{TEAM_HEADER}")


def _parameter(operation: Operation) -> Parameter | None:
    for parameter in operation.parameters:
        if parameter.where == "header" and parameter.name.lower() == TEAM_HEADER.lower():
            return parameter
    return None
