"""Callers: the user's callers, and the roles that the cases assign to them."""

import os
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

from contract_tests.cases.model import Case
from contract_tests.contract.files.file_shapes import check_shape
from contract_tests.contract.files.yaml_file import read_text, read_yaml
from contract_tests.contract.resources import data_file

CallerKind = Literal["jwt", "sk", "dk", "ak", "unknown"]
CREDENTIAL_KINDS = ("sk", "dk")
_KINDS = ("jwt", "sk", "dk", "ak")
_PREFIXES = ("sk-", "dk-", "ak-")
#: A JWT: three parts in base64url, of which the first two are JSON objects (``eyJ`` is the start of one).
_JWT = re.compile(r"eyJ[\w-]*\.eyJ[\w-]*\.[\w-]*", re.ASCII)
#: Characters of a token: shorter ones are parts of words, longer ones fit into no header.
MIN_TOKEN, MAX_TOKEN = 8, 8192
#: Stands for every token in reports.
_PLACEHOLDER = "$TOKEN"
#: Tokens that no server issued, by role.
_UNKNOWN_TOKENS = {
    "unknown": "sk-never-issued-{}",
    "unknown-dk": "dk-never-issued-{}",
    "unknown-jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.{}",
}


class CallersError(ValueError):
    """An unusable callers file; the message is one line that says how to fix it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller; ``teams`` are team UUIDs, empty if the user named none (a credential has one anyway).

    ``token_env`` is the variable from which the token was read, empty if it came from elsewhere.
    ``always_names_team`` is true if the deployment refused the credential without ``X-Team-ID``.
    """

    name: str
    kind: CallerKind
    token: str = field(repr=False)
    teams: tuple[str, ...] = ()
    always_names_team: bool = False
    token_env: str = ""


@dataclass(frozen=True, slots=True)
class CallerPool:
    """The callers of a run; ``red`` and ``blue`` are the UUIDs of two teams, each None if unknown.

    ``rejected`` are the callers that the target did not let act; only a role that names one finds it.
    """

    red: str | None
    blue: str | None
    callers: tuple[Caller, ...]
    rejected: tuple[Caller, ...] = ()

    def find_caller(self, role: str, *, lenient: bool = False) -> Caller | None:
        """Return the caller for a role such as ``sk-red``, ``jwt-both`` or ``red`` (any caller of that team).

        ``lenient`` allows any caller of the same team in place of a missing kind. ``NAME@red`` is one caller.
        """
        if "@" in role:
            named = role.rpartition("@")[0]
            return next((c for c in (*self.callers, *self.rejected) if c.name == named), None)
        if role in _UNKNOWN_TOKENS:
            token = _UNKNOWN_TOKENS[role].replace("{}", uuid4().hex)
            return Caller(role, "unknown", token, (self.red,) if role == "unknown-jwt" and self.red else ())
        kind, _, team_role = role.rpartition("-")
        candidates = [c for c in self.callers if self._fits_team(c, team_role)]
        matching = [c for c in candidates if c.kind == kind or (not kind and c.kind != "ak")]
        if team_role == "red":
            matching.sort(key=lambda c: c.kind == "jwt" and self.blue in c.teams)
        if not matching and lenient:
            matching = [c for c in candidates if c.kind != "ak"]
        return matching[0] if matching else None

    def list_red_callers(self) -> tuple[Caller, ...]:
        """Return all callers that can act for team red."""
        return tuple(c for c in self.callers if c.kind != "ak" and self._fits_team(c, "red"))

    def team_role(self, caller: Caller) -> str:
        """Return the team, red or blue, that a caller can act for; red first."""
        return "red" if self._fits_team(caller, "red") else "blue"

    def name_role(self, caller: Caller) -> str:
        """Return the role that only this caller has, for the team that it can act for: ``NAME@red``."""
        return f"{caller.name}@{self.team_role(caller)}"

    def rotate_caller(self, case: Case, offset: int = 0) -> Case:
        """Assign a case for any caller to one kind of caller, so that every kind gets its share."""
        roles = sorted({f"{caller.kind}-red" for caller in self.list_red_callers()} | self._blue_roles())
        if not roles or any(step.caller != "red" for step in case.steps):
            return case
        role = roles[(zlib.crc32(case.id.encode()) + offset) % len(roles)]
        return replace(case, steps=tuple(replace(step, caller=role) for step in case.steps))

    def _blue_roles(self) -> set[str]:
        """Return the roles of callers that can act for team blue."""
        able = {f"{c.kind}-blue" for c in self.callers if c.kind != "ak" and self._fits_team(c, "blue")}
        return able if self.blue is not None else set()

    def name_team(self, caller: Caller, role: str) -> str:
        """Return the team, red or blue, for which a caller acts in a role."""
        team = self.team_role(caller)
        return "blue" if caller.kind == "jwt" and self.choose_team(caller, role) != self.red else team

    def choose_team(self, caller: Caller, role: str) -> str | None:
        """Return the team that a JWT caller names in a role."""
        if role.endswith("blue") or self.red not in caller.teams:
            return self.blue
        return self.red

    def limit_to(self, caller: Caller) -> "CallerPool":
        """Return the pool with a single caller."""
        return replace(self, callers=(caller,))

    def _fits_team(self, caller: Caller, team_role: str) -> bool:
        if caller.kind == "ak":
            return team_role == "red"
        if team_role == "both":
            return self.red in caller.teams and self.blue in caller.teams
        team = self.red if team_role == "red" else self.blue
        return team in caller.teams if self.red is not None else team_role == "red"


def build_caller_pool(callers: Iterable[Caller]) -> CallerPool:
    """Return a pool with the two teams for which most callers act.

    If no caller names a team, only the first credential is used, because a second one may belong to another team.
    """
    all_callers = tuple(callers)
    counts = Counter(team for c in all_callers if c.kind != "ak" for team in c.teams)
    # More rules can be tested with a credential than with a JWT, so teams with one come first.
    for caller in all_callers:
        if caller.kind in CREDENTIAL_KINDS:
            counts.update(caller.teams)
    ranked = [team for team, _ in counts.most_common()]
    if not ranked:
        credentials = [c for c in all_callers if c.kind in CREDENTIAL_KINDS][:1]
        return CallerPool(None, None, (*credentials, *(c for c in all_callers if c.kind == "ak")))
    return CallerPool(ranked[0], ranked[1] if len(ranked) > 1 else None, all_callers)


def load_callers(path: Path, environ: Mapping[str, str] = os.environ) -> tuple[Caller, ...]:
    """Read a callers file as ``mock-server callers`` prints it; raise CallersError if it is unusable.

    A token is given by ``token_env`` (a variable's name), ``token_file`` (a path beside the file) or ``token``.
    """
    try:
        document = read_yaml(path)
        check_shape(document, "callers", path)
    except OSError as error:
        raise CallersError(f"{path}: {error.strerror}; name a file of callers with --callers") from None
    except ValueError as error:
        raise CallersError(f"{error}; `mock-server callers` prints an example") from None
    _check_variables(path, document["callers"], environ)
    teams = document.get("teams") or {}
    _check_teams(path, teams)
    callers = tuple(
        _parse_caller(path, f"callers[{index}]", entry, teams, environ)
        for index, entry in enumerate(document["callers"])
    )
    _check_distinct(path, callers)
    return callers


def _check_variables(path: Path, entries: Iterable[Mapping[str, Any]], environ: Mapping[str, str]) -> None:
    """Raise CallersError that names all variables with a token that are not set, if there are several."""
    named = dict.fromkeys(entry["token_env"] for entry in entries if "token_env" in entry)
    missing = [name for name in named if not environ.get(name, "").strip()]
    if len(missing) > 1:
        raise CallersError(f"{path}: set the variables {', '.join(missing)}, or remove these callers")


def _check_teams(path: Path, teams: Mapping[str, str]) -> None:
    """Raise CallersError for two teams with the same id."""
    names: dict[str, str] = {}
    for name, team in teams.items():
        other = names.setdefault(team.lower(), name)
        if other != name:
            raise CallersError(f"{path}: the teams {other} and {name} have the same id; give each its own id")


def _check_distinct(path: Path, callers: Iterable[Caller]) -> None:
    """Raise CallersError for two callers with the same name or the same token."""
    names: set[str] = set()
    tokens: dict[str, str] = {}
    for caller in callers:
        if caller.name in names:
            raise CallersError(f"{path}: two callers are called {caller.name}; give each its own `name`")
        names.add(caller.name)
        other = tokens.setdefault(caller.token, caller.name)
        if other != caller.name:
            raise CallersError(
                f"{path}: {other} and {caller.name} have the same token; give each its own token"
            )


def _parse_caller(
    path: Path, place: str, entry: Mapping[str, Any], teams: Mapping[str, str], environ: Mapping[str, str]
) -> Caller:
    name = str(entry.get("name") or "-".join((entry["kind"], *(entry.get("teams") or ()))))
    try:
        named = tuple(str(UUID(teams.get(team, team))) for team in entry.get("teams") or ())
    except ValueError:  # not repeated: it may be a token in the wrong place
        raise CallersError(f"{path}: {place}: a team is neither under `teams` nor a UUID") from None
    if entry["kind"] != "jwt" and len(named) > 1:
        raise CallersError(f"{path}: {name}: a key belongs to one team; name one in `teams`")
    if entry["kind"] == "jwt" and not named:
        raise CallersError(f"{path}: {name}: a jwt caller needs `teams`, since each request must name one")
    token = _read_token(path, name, entry, environ)
    if token in name:
        raise CallersError(f"{path}: {place}: the name, which reports show, holds the token")
    prefix = token[:3] if token[:3] in _PREFIXES else ""
    if prefix and prefix != f"{entry['kind']}-":
        raise CallersError(f"{path}: {name}: a token with {prefix} is not of kind {entry['kind']}")
    if entry["kind"] != "jwt" and _JWT.fullmatch(token):
        raise CallersError(f"{path}: {name}: the token is a JWT, so its kind is jwt, not {entry['kind']}")
    return Caller(name, entry["kind"], token, named, token_env=entry.get("token_env", ""))


def _read_token(path: Path, name: str, entry: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    if "token_env" in entry:
        token = environ.get(entry["token_env"], "")
        hint = f"set the variable {entry['token_env']}"
    elif "token_file" in entry:
        file = path.parent / entry["token_file"]
        hint = "put the token into the file that token_file names"  # not repeated: it may be the token
        try:
            token = read_text(file, "utf-8-sig", MAX_TOKEN)
        except (OSError, ValueError):
            token = ""
    else:
        token, hint = entry.get("token", ""), "give token_env, token_file or token"
    token = token.strip()
    if token and any(character.isspace() for character in token):
        raise CallersError(f"{path}: {name}: the token contains white space; leave out 'Bearer '")
    if not token or not token.isascii() or not token.isprintable():
        raise CallersError(f"{path}: {name} has no usable token; {hint}")
    if not MIN_TOKEN <= len(token) <= MAX_TOKEN:  # a short one is hidden wherever its text stands
        raise CallersError(f"{path}: {name}: a token has {MIN_TOKEN} to {MAX_TOKEN} characters; {hint}")
    if _PLACEHOLDER in token or token.lower() in _read_usual_text():
        raise CallersError(
            f"{path}: {name}: the token is, or holds, a text that reports show anyway, so it cannot be hidden; {hint}"
        )
    return token


@cache
def _read_usual_text() -> str:
    """Return a text with the names and values of usual requests and responses, in lower case."""
    files = ("spec/openapi.yaml", "spec/readback.yaml", "fixtures/bodies.yaml")
    return "".join(read_text(data_file(name)) for name in files).lower()
