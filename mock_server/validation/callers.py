"""The callers that the mock knows: their tokens, kinds and teams."""

import os
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mock_server.contract import resources
from mock_server.contract.resources import UnusableFileError

#: The kinds whose team is the credential's own.
CREDENTIAL_KINDS = frozenset({"sk", "dk"})
KINDS = ("jwt", "sk", "dk", "ak")
UUID_PATTERN = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAMESPACE = uuid.UUID("0192f0c0-0000-7000-8000-000000000000")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._~+/-]+=*")


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who may call. A caller of every team (`teams` empty) is made by `--any-token` only."""

    name: str
    kind: str
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallerDirectory:
    """Callers by token, in the order of their file; `any_token` lets in every well-formed token."""

    callers: Mapping[str, Caller]
    teams: Mapping[str, str]
    any_token: bool = False

    def find(self, token: str) -> Caller | None:
        """The caller of a token that the server issued."""
        caller = self.callers.get(token)
        if caller is None and self.any_token and _WELL_FORMED.fullmatch(token):
            return _synthetic_caller(token)
        return caller

    def default_caller(self) -> Caller:
        """The caller that a call without a known one works as: a credential of the first team."""
        first = next(iter(self.teams.values()), str(_NAMESPACE))
        return Caller("somebody", "sk", (first,))


def token_kind(token: str) -> str:
    """The kind that the prefix of a token says."""
    prefix = token.split("-", 1)[0]
    return prefix if prefix in KINDS[1:] and "-" in token else "jwt"


def _synthetic_caller(token: str) -> Caller:
    kind = token_kind(token)
    teams = (str(uuid.uuid5(_NAMESPACE, token)),) if kind in CREDENTIAL_KINDS else ()
    return Caller(f"any-{kind}", kind, teams)


def load_callers(
    source: Path | Mapping[str, Any] | None = None, *, any_token: bool = False
) -> CallerDirectory:
    """The directory of a callers file (see fixtures/README.md), or of its loaded content."""
    name = str(source) if isinstance(source, Path) else "callers"
    if source is None or isinstance(source, Path):
        path = source or resources.find_resource("fixtures/callers.yaml")
        name, source = str(path), _require_mapping(resources.read_yaml(path), str(path))
    teams = {
        str(key): str(value).lower()
        for key, value in _require_mapping(source.get("teams"), f"{name}: teams").items()
    }
    for label, team in teams.items():
        if not UUID_PATTERN.fullmatch(team):
            raise UnusableFileError(f"{name}: the team {label} is no UUID; write the team's id")
    entries = source.get("callers")
    if not isinstance(entries, list) or not entries:
        raise UnusableFileError(f"{name}: no list of callers; write one under `callers:`")
    callers = dict(_parse_entry(name, number, entry, teams) for number, entry in enumerate(entries, start=1))
    return CallerDirectory(callers, teams, any_token)


def _require_mapping(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UnusableFileError(f"{name}: not a mapping; see fixtures/callers.yaml for the form")
    return value


def _parse_entry(name: str, number: int, entry: Any, teams: Mapping[str, str]) -> tuple[str, Caller]:
    place = f"{name}: caller {number}"
    entry = _require_mapping(entry, place)
    kind, named = entry.get("kind"), entry.get("teams")
    if kind not in KINDS:
        raise UnusableFileError(f"{place}: the kind is {kind!r}; write one of {', '.join(KINDS)}")
    if not isinstance(named, list) or not named or any(team not in teams for team in named):
        raise UnusableFileError(f"{place}: teams is {named!r}; list one or more of {', '.join(teams)}")
    label = str(entry.get("name", f"caller-{number}"))
    return _read_token(place, entry), Caller(label, kind, tuple(teams[team] for team in named))


def _read_token(place: str, entry: Mapping[str, Any]) -> str:
    if isinstance(entry.get("token"), str):
        token = entry["token"]
    elif "token_env" in entry:
        token = os.environ.get(str(entry["token_env"]), "")
    elif "token_file" in entry:
        token = resources.read_text(Path(str(entry["token_file"])).expanduser())
    else:
        token = ""
    if not token.strip():
        raise UnusableFileError(f"{place}: no token; give token, token_env (a set variable) or token_file")
    return str(token.strip())
