"""Faults in who may call, and for which team."""

from collections.abc import Callable

from contract_tests.cases.callers import load_callers
from contract_tests.contract.resources import data_file
from mock_server.services.model import Store
from tests.support.gate.messages import (
    REFUSED,
    Interceptor,
    Request,
    Response,
    Send,
    When,
)
from tests.support.gate.planting import (
    Fault,
    fault,
    remembering,
    turns_away,
    unenforced,
)

_TOKENS = {caller.name: caller.token for caller in load_callers(data_file("fixtures/callers.yaml"))}
_TEAMS = {caller.name: caller.teams[0] for caller in load_callers(data_file("fixtures/callers.yaml"))}
_RED, _BLUE = _TEAMS["sk-red"], _TEAMS["sk-blue"]


def _as(request: Request, name: str, team: str | None = None) -> Request:
    """The request in another caller's name."""
    request = request.with_header("Authorization", f"Bearer {_TOKENS[name]}")
    return request.with_header("X-Team-ID", team) if team else request


def lets_in(when: When, name: str = "sk-red") -> Interceptor:
    """Takes some requests for those of a caller of team red."""
    return lambda request, send: send(_as(request, name) if when(request) else request)


def scheme(*names: str) -> When:
    """Requests with another scheme and the token of a caller."""
    return lambda request: (
        (request.header("Authorization") or "").startswith(names) and request.token in [*_TOKENS.values()]
    )


def _no_header(operation: str) -> When:
    return lambda request: request.operation == operation and request.header("Authorization") is None


def _no_token(request: Request) -> bool:
    return (request.header("Authorization") or "").strip() == "Bearer"


def _begins_right(request: Request) -> bool:
    return any(request.token.startswith(token) for token in _TOKENS.values() if token != request.token)


def _agent(operation: str) -> When:
    return lambda request: request.kind == "ak" and request.operation in (operation or request.operation)


def _unknown(operation: str) -> When:
    return lambda request: (
        request.kind == "sk" and request.token not in [*_TOKENS.values()] and (request.operation == operation)
    )


AUTHENTICATION: tuple[Fault, ...] = (
    fault("no-token-needed-on-update", "auth-required", lets_in(_no_header("update"))),
    fault("no-token-needed-on-create", "auth-required", lets_in(_no_header("create"))),
    fault("basic-taken", "auth-bearer", lets_in(scheme("Basic "))),
    fault("any-scheme-taken", "auth-bearer", lets_in(scheme("Basic ", "Token "))),
    fault("empty-token-taken", "auth-bearer", lets_in(_no_token)),
    fault("bare-token-taken", "auth-bearer",
          lets_in(lambda request: request.header("Authorization") in [*_TOKENS.values()])),
    fault("empty-header-taken", "auth-bearer", lets_in(lambda request: request.header("Authorization") == "")),
    fault("unknown-token-taken-on-update", "auth-known", lets_in(_unknown("update"))),
    fault("unknown-token-taken-on-create", "auth-known", lets_in(_unknown("create"))),
    fault("token-compared-by-its-start", "auth-known", lets_in(_begins_right)),
    fault("agent-key-taken", "auth-agent", lets_in(_agent(""))),
    fault("agent-key-taken-on-update", "auth-agent", lets_in(_agent("update"))),
    fault("agent-key-crashes", "auth-agent", turns_away(_agent(""), 500)),
)  # fmt: skip


def _jwt_team(*values: str | None) -> When:
    return lambda request: (
        request.kind == "jwt" and request.operation != "" and (request.header("X-Team-ID") in values)
    )


def _team_of_red(when: When) -> Interceptor:
    return lambda request, send: send(request.with_header("X-Team-ID", _RED) if when(request) else request)


def _of_others(operation: str) -> Interceptor:
    """Lets a JWT caller name a team of others."""

    def intercept(request: Request, send: Send) -> Response:
        named = request.header("X-Team-ID")
        foreign = request.token == _TOKENS["jwt-red"] and named == _BLUE
        if foreign and request.operation == operation:
            return send(_as(request, "jwt-both"))
        return send(request)

    return intercept


def honours(kind: str, operation: str = "") -> Interceptor:
    """Works for the team that a credential names, and not for its own."""

    def intercept(request: Request, send: Send) -> Response:
        named = request.header("X-Team-ID")
        mine = request.kind == kind and request.operation in (
            (operation,) if operation else ("create", "update")
        )
        if mine and request.token in [*_TOKENS.values()] and named in (_RED, _BLUE):
            return send(_as(request, "jwt-both"))
        return send(request)

    return intercept


def _header_of(kind: str, operation: str, *values: str) -> When:
    return lambda request: (
        request.kind == kind
        and request.operation in (operation or request.operation)
        and (request.header("X-Team-ID") in values)
    )


TEAM: tuple[Fault, ...] = (
    fault("jwt-without-a-team-taken", "team-required-for-jwt", _team_of_red(_jwt_team(None))),
    fault("jwt-without-a-team-taken-on-update", "team-required-for-jwt",
          _team_of_red(lambda r: r.operation == "update" and _jwt_team(None)(r))),
    fault("jwt-without-a-team-answered-422", "team-required-for-jwt", turns_away(_jwt_team(None), 422)),
    fault("jwt-without-a-team-answered-401", "team-required-for-jwt",
          turns_away(lambda r: r.operation == "create" and _jwt_team(None)(r), 401)),
    fault("jwt-malformed-team-taken", "team-uuid", _team_of_red(_jwt_team("not-a-uuid"))),
    fault("jwt-team-cut-to-36-characters", "team-uuid", _team_of_red(_jwt_team(_RED + "0"))),
    fault("jwt-empty-team-is-the-first", "team-uuid", _team_of_red(_jwt_team(""))),
    fault("jwt-malformed-team-crashes", "team-uuid", turns_away(_jwt_team("not-a-uuid"), 500)),
    fault("jwt-team-of-others-taken-on-create", "team-member", _of_others("create")),
    fault("jwt-team-of-others-taken-on-update", "team-member", _of_others("update")),
    fault("jwt-team-of-nobody-taken", "team-member",
          _team_of_red(lambda r: r.kind == "jwt" and r.header("X-Team-ID") not in (None, _RED, _BLUE) and
                       (r.header("X-Team-ID") or "").startswith("0192f0c0-dead"))),
    fault("sk-honours-the-header", "team-ignored-for-credentials", honours("sk")),
    fault("sk-honours-the-header-on-create", "team-ignored-for-credentials", honours("sk", "create")),
    fault("dk-honours-the-header-on-update", "team-ignored-for-credentials", honours("dk", "update")),
    fault("sk-malformed-team-refused", "team-ignored-for-credentials",
          turns_away(_header_of("sk", "", "not-a-uuid"))),
    fault("dk-malformed-team-refused", "team-ignored-for-credentials",
          turns_away(_header_of("dk", "", "not-a-uuid"))),
    fault("dk-malformed-team-refused-on-update", "team-ignored-for-credentials",
          turns_away(_header_of("dk", "update", "not-a-uuid"))),
    fault("sk-empty-team-refused", "team-ignored-for-credentials", turns_away(_header_of("sk", "create", ""))),
    fault("sk-other-team-refused", "team-ignored-for-credentials",
          turns_away(lambda r: r.kind == "sk" and r.token == _TOKENS["sk-red"] and r.header("X-Team-ID") == _BLUE)),
    fault("dk-needs-a-team", "team-optional-for-credentials",
          turns_away(lambda r: r.kind == "dk" and r.operation != "" and r.header("X-Team-ID") is None)),
    fault("sk-needs-a-team-on-update", "team-optional-for-credentials",
          turns_away(lambda r: r.kind == "sk" and r.operation == "update" and r.header("X-Team-ID") is None)),
)  # fmt: skip


def _reaching(kind: str, *, into: str = "") -> Callable[[Store], Interceptor]:
    """Lets one kind of caller update the services of any team, or those of a type only."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            response = send(request)
            if request.operation != "update" or response.status != 404 or request.kind != kind:
                return response
            with store.transaction() as step:
                service = step.get(request.service)
            if service is None or (into and service.values.get("service_type") != into):
                return response
            return send(_as(request, "sk-red" if service.team == _RED else "sk-blue"))

        return intercept

    return planted


SCOPE: tuple[Fault, ...] = (
    remembering("sk-reaches-other-teams", "team-scope", _reaching("sk")),
    remembering("dk-reaches-other-teams", "team-scope", _reaching("dk")),
    remembering("jwt-reaches-other-teams", "team-scope", _reaching("jwt")),
    unenforced("empty-update-reaches-other-teams", "team-scope",
               lambda: lambda r: r.operation == "update" and r.value == {}),
    fault("jwt-refused-for-its-second-team", "team-required-for-jwt",
          lambda r, send: REFUSED if r.token == _TOKENS["jwt-both"] and r.header("X-Team-ID") == _BLUE else send(r)),
)  # fmt: skip

CALLERS = (*AUTHENTICATION, *TEAM, *SCOPE)
