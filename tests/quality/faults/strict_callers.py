"""Faults in who may call: what is refused to some callers, and what only some are let in with."""

import re
from collections.abc import Callable

from mock_server.services.model import Store
from tests.quality.faults.callers import honours, lets_in
from tests.quality.faults.strict_requests import by, on
from tests.support.gate.messages import (
    Interceptor,
    Request,
    Response,
    Send,
    When,
    known,
)
from tests.support.gate.planting import (
    Fault,
    fault,
    remembering,
    service_of,
    turns_away,
)

_RED, _BLUE = known().teams["red"], known().teams["blue"]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_IGNORED, _REQUIRED = "team-ignored-for-credentials", "team-required-for-jwt"


def any_of(_request: Request) -> bool:
    """Every request."""
    return True


def _team(request: Request) -> str | None:
    return request.header("X-Team-ID")


def _own(request: Request) -> bool:
    return _team(request) is not None and _team(request) == request.team


def _other(request: Request) -> bool:
    return _team(request) in {_RED, _BLUE} - {request.team}


def _nobodys(request: Request) -> bool:
    return bool(_UUID.fullmatch(_team(request) or "")) and _team(request) not in (_RED, _BLUE)


def _no_uuid(request: Request) -> bool:
    team = _team(request)
    return bool(team) and not _UUID.fullmatch((team or "").lower())


def _first_team(request: Request, send: Send) -> Response:
    """Works for the first team of a user of several, whichever the header names."""
    if request.caller == "jwt-both" and _team(request) == _RED:
        return send(request.with_header("X-Team-ID", _BLUE))
    return send(request)


def _of_two(operation: str) -> When:
    return on(operation, lambda r: r.caller == "jwt-both" and _team(r) in (_RED, _BLUE))


def _session(_store: Store) -> Interceptor:
    """Takes a JWT caller that names no team for the team that it named last."""
    last: dict[str, str] = {}

    def intercept(request: Request, send: Send) -> Response:
        team = _team(request)
        if request.kind != "jwt" or not request.operation:
            return send(request)
        if team is None and request.caller in last:
            return send(request.with_header("X-Team-ID", last[request.caller]))
        if team in (_RED, _BLUE):
            last[request.caller] = team or ""
        return send(request)

    return intercept


def _makers_only(when: Callable[[str, str], bool]) -> Callable[[Store], Interceptor]:
    """Lets some callers update some services of their team only; ``when`` is given the maker and the caller."""

    def planted(store: Store) -> Interceptor:
        makers: dict[str, str] = {}

        def intercept(request: Request, send: Send) -> Response:
            service = service_of(store, request)
            maker = makers.get(service.id, "") if service else ""
            if maker and request.caller and when(maker, request.caller):
                return Response(404)
            response = send(request)
            if request.operation == "create" and response.accepted:
                makers[response.value["id"]] = request.caller
            return response

        return intercept

    return planted


_OF_COLLEAGUES = {
    "updated-stored": "an update of the team's own service is refused",
    "update-partial": "an update of the team's own service is refused",
}
_OF_ALL = {
    **_OF_COLLEAGUES,
    "update-keeps-omitted": "an update of the team's own service is refused",
    _IGNORED: "all that the caller sends is refused, with any header",
}

STRICT: tuple[Fault, ...] = (
    fault("dk-may-not-create", "team-optional-for-credentials", turns_away(on("create", by("dk", any_of)), 403),
          also={_IGNORED: "all that the caller creates is refused, with any header",
                "created-stored": "the create is refused, and so not stored"}),
    fault("jwt-may-not-update", _REQUIRED,
          turns_away(on("update", by("jwt", lambda r: _team(r) in (_RED, _BLUE))), 403), also=_OF_ALL),
    fault("jwt-of-two-teams-may-not-update", _REQUIRED, turns_away(_of_two("update"), 403), also=_OF_ALL),
    fault("jwt-of-two-teams-crashes-on-create", _REQUIRED, turns_away(_of_two("create"), 500),
          also={"created-stored": "the create is refused, and so not stored"}),
    fault("jwt-works-for-its-first-team-only", "team-scope", _first_team, also={
        **_OF_ALL, _REQUIRED: "the team that the caller names is not the one that it works for",
        "created-stored": "the service is stored for another team than the one named",
        "slug-unique": "the slug is looked for in another team than the one named"}),
    fault("sk-own-team-refused", _IGNORED, turns_away(on("", by("sk", _own)))),
    fault("dk-own-team-refused-on-create", _IGNORED, turns_away(on("create", by("dk", _own)))),
    fault("dk-empty-team-refused-on-update", _IGNORED, turns_away(on("update", by("dk", lambda r: _team(r) == "")))),
    fault("dk-team-of-others-refused", _IGNORED, turns_away(on("", by("dk", _other)), 403)),
    fault("dk-team-of-others-refused-on-update", _IGNORED, turns_away(on("update", by("dk", _other)), 404)),
    fault("dk-team-of-nobody-refused-on-create", _IGNORED, turns_away(on("create", by("dk", _nobodys)), 404)),
    fault("sk-malformed-team-crashes-on-update", _IGNORED, turns_away(on("update", by("sk", _no_uuid)), 500)),
    fault("dk-malformed-team-crashes-on-create", _IGNORED, turns_away(on("create", by("dk", _no_uuid)), 500)),
    fault("sk-honours-the-header-on-update", _IGNORED, honours("sk", "update"),
          also={"team-scope": "a team that is named in vain gives reach to its services"}),
    fault("dk-honours-the-header-on-create", _IGNORED, honours("dk", "create")),
    remembering("services-of-colleagues-refused", "team-scope", _makers_only(lambda maker, me: maker != me),
                also=_OF_COLLEAGUES),
    remembering("dk-may-not-update-what-a-user-made", "team-scope",
                _makers_only(lambda maker, me: me.startswith("dk") and maker.startswith("jwt")), also=_OF_COLLEAGUES),
    remembering("users-may-not-update-what-a-key-made", "team-scope",
                _makers_only(lambda maker, me: me.startswith("jwt") and not maker.startswith("jwt")),
                also=_OF_COLLEAGUES),
)  # fmt: skip


def _unsigned(request: Request) -> bool:
    """Whether the token is a known JWT but for its signature."""
    signed = [token.rpartition(".")[0] for token in known().callers if token.count(".") == 2]
    known_token = request.token in known().callers
    return not known_token and request.token.count(".") == 2 and request.token.rpartition(".")[0] in signed


def _glued(request: Request) -> bool:
    sent = request.header("Authorization") or ""
    return any(sent in ("Bearer" + token, "Bearer:" + token, "Bearer: " + token) for token in known().callers)


def _mended(mend: Callable[[str], str], operation: str = "") -> Interceptor:
    """Reads a team that is no UUID as the one that was probably meant."""

    def intercept(request: Request, send: Send) -> Response:
        team = _team(request)
        if not team or not on(operation, by("jwt", _no_uuid))(request):
            return send(request)
        return send(request.with_header("X-Team-ID", mend(team)))

    return intercept


def _hyphens(team: str) -> str:
    parts = (team[:8], team[8:12], team[12:16], team[16:20], team[20:])
    return "-".join(parts) if re.fullmatch("[0-9a-f]{32}", team) else team


LENIENT: tuple[Fault, ...] = (
    fault("no-token-needed-where-a-team-is-named", "auth-required",
          lets_in(on("", lambda r: r.header("Authorization") is None and _team(r) is not None))),
    fault("scheme-of-any-name-with-a-team-taken", "auth-bearer",
          lets_in(on("", lambda r: _team(r) is not None and r.caller != "" and
                     not (r.header("Authorization") or "").lower().startswith("bearer ")))),
    fault("scheme-glued-to-the-token-taken", "auth-bearer", lets_in(on("", _glued))),
    fault("agent-key-taken-with-a-team", "auth-agent", lets_in(on("", by("ak", lambda r: _team(r) is not None)))),
    fault("agent-key-taken-on-create", "auth-agent", lets_in(on("create", by("ak", any_of)))),
    fault("agent-key-crashes-on-update", "auth-agent", turns_away(on("update", by("ak", any_of)), 500)),
    fault("signature-of-a-jwt-unchecked", "auth-known", lets_in(on("", _unsigned), "jwt-both")),
    fault("any-dk-token-taken", "auth-known", lets_in(on("", by("dk", lambda r: not r.caller)))),
    fault("jwt-of-one-team-needs-no-team", _REQUIRED, lambda r, send: send(
        r.with_header("X-Team-ID", _RED) if r.caller == "jwt-red" and r.operation and _team(r) is None else r)),
    fault("jwt-of-two-teams-needs-no-team-on-create", _REQUIRED, lambda r, send: send(
        r.with_header("X-Team-ID", _BLUE) if on("create", lambda q: q.caller == "jwt-both" and _team(q) is None)(r)
        else r)),
    remembering("jwt-team-kept-from-the-last-request", _REQUIRED, _session),
)  # fmt: skip

STRICT_CALLERS = (*STRICT, *LENIENT)
