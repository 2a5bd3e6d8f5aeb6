"""The callers that the mock knows: their tokens, kinds and teams."""

import os
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mock_server.contract import resources
from mock_server.contract.resources import UnusableFileError
from mock_server.contract.suggestions import suggestion_suffix

#: The kinds of callers that belong to exactly one team.
CREDENTIAL_KINDS = frozenset({"sk", "dk"})
KINDS = ("jwt", "sk", "dk", "ak")
#: The keys of a caller in a callers file.
_KEYS = ("name", "kind", "teams", "token", "token_env", "token_file")
UUID_PATTERN = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAMESPACE = uuid.UUID("0192f0c0-0000-7000-8000-000000000000")
#: The token of a line of the packaged callers file.
_TOKEN = re.compile(r"(?P<start>.*\bname: (?P<name>[\w-]+),.*)\btoken: [^\s}]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._~+/-]+=*")


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller. With `--any-token`, `teams` may be empty: the caller then belongs to every team."""

    name: str
    kind: str
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallerDirectory:
    """Callers by token, in the order of their file; `any_token` accepts every well-formed token."""

    callers: Mapping[str, Caller]
    teams: Mapping[str, str]
    any_token: bool = False

    def find(self, token: str) -> Caller | None:
        """Return the caller of a token, or None for an unknown token."""
        caller = self.callers.get(token)
        if caller is None and self.any_token and _WELL_FORMED.fullmatch(token):
            return _synthetic_caller(token)
        return caller

    def default_caller(self) -> Caller:
        """Return the caller of a request without a known caller: a service key of the first team."""
        first_team = next(iter(self.teams.values()), str(_NAMESPACE))
        return Caller("somebody", "sk", (first_team,))


def token_kind(token: str) -> str:
    """Return the kind of a token by its prefix."""
    prefix = token.split("-", 1)[0]
    return prefix if prefix in KINDS[1:] and "-" in token else "jwt"


def _synthetic_caller(token: str) -> Caller:
    kind = token_kind(token)
    teams = (str(uuid.uuid5(_NAMESPACE, token)),) if kind in CREDENTIAL_KINDS else ()
    return Caller(f"any-{kind}", kind, teams)


def callers_from_environment(text: str) -> str:
    """Return a callers file in which each token is read from the environment: `CYBERUN_SK_RED` for `sk-red`."""
    heading = (
        "# Callers of your deployment: replace the ids of the teams, remove the callers that you do not have,\n"
        "# and set the variables. One caller of the kind sk or dk is enough to start.\n"
    )
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return heading + "".join(f"{_TOKEN.sub(_to_variable, line)}\n" for line in lines)


def _to_variable(entry: re.Match[str]) -> str:
    name = re.sub(r"\W", "_", entry["name"]).upper()
    return f"{entry['start']}token_env: CYBERUN_{name}"


def load_callers(
    source: Path | Mapping[str, Any] | None = None, *, any_token: bool = False
) -> CallerDirectory:
    """Return the callers of a file (see fixtures/README.md), or of its loaded content."""
    name = str(source) if isinstance(source, Path) else "callers"
    if source is None or isinstance(source, Path):
        path = source or resources.find_resource("fixtures/callers.yaml")
        name, source = str(path), _require_mapping(resources.read_yaml(path), str(path))
    if "teams" not in source:
        raise UnusableFileError(
            f"{name}: no teams; write the UUID of each under `teams:`, as `teams: {{red: UUID}}`"
        )
    teams = {
        str(key): str(value).lower()
        for key, value in _require_mapping(source.get("teams"), f"{name}: teams").items()
    }
    for label, team in teams.items():
        if not UUID_PATTERN.fullmatch(team):
            raise UnusableFileError(f"{name}: the team {label}: expected the UUID of the team")
    entries = source.get("callers")
    if not isinstance(entries, list) or not entries:
        raise UnusableFileError(f"{name}: no list of callers; write one under `callers:`")
    _check_variables(name, entries)
    parsed = [_parse_entry(name, number, entry, teams) for number, entry in enumerate(entries, start=1)]
    callers = dict(parsed)
    if len(callers) < len(parsed):
        raise UnusableFileError(f"{name}: two callers have the same token; give each one its own")
    return CallerDirectory(callers, teams, any_token)


def _check_variables(name: str, entries: Iterable[Any]) -> None:
    """Raise UnusableFileError for a token in place of a variable, or for several variables that are not set."""
    callers = [
        entry for entry in entries if isinstance(entry, Mapping) and not isinstance(entry.get("token"), str)
    ]
    named = dict.fromkeys(str(entry["token_env"]) for entry in callers if "token_env" in entry)
    if not all(map(_VARIABLE.fullmatch, named)):  # not repeated: it may be the token
        raise UnusableFileError(
            f"{name}: token_env: expected the name of a variable such as CYBERUN_SK_RED; a token goes under `token`"
        )
    missing = [variable for variable in named if not os.environ.get(variable, "").strip()]
    if len(missing) > 1:
        raise UnusableFileError(
            f"{name}: no tokens; set the variables {', '.join(missing)}, or remove these callers"
        )


def _require_mapping(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UnusableFileError(f"{name}: not a mapping; `mock-server callers` prints a file of the form")
    return value


def _parse_entry(name: str, number: int, entry: Any, teams: Mapping[str, str]) -> tuple[str, Caller]:
    place = f"{name}: caller {number}"
    entry = _require_mapping(entry, place)
    kind, labels = entry.get("kind"), entry.get("teams")
    unknown = next((key for key in entry if key not in _KEYS), None)
    if unknown is not None:
        hint = suggestion_suffix(str(unknown), _KEYS)
        raise UnusableFileError(
            f"{place}: unknown key {str(unknown)[:40]!r}, expected {', '.join(_KEYS)}{hint}"
        )
    if kind not in KINDS:
        raise UnusableFileError(f"{place}: kind: expected one of {', '.join(KINDS)}")
    if not isinstance(labels, list) or not labels or any(label not in teams for label in labels):
        raise UnusableFileError(f"{place}: teams: expected a list of one or more of {', '.join(teams)}")
    caller_name = str(entry.get("name", f"caller-{number}"))
    token = _read_token(place, entry)
    if token_kind(token) not in ("jwt", kind):
        raise UnusableFileError(f"{place}: a token with the prefix {token[:3]} is not of the kind {kind}")
    return token, Caller(caller_name, kind, tuple(teams[label] for label in labels))


def _read_token(place: str, entry: Mapping[str, Any]) -> str:
    if isinstance(entry.get("token"), str):
        token = entry["token"]
    elif "token_env" in entry:
        token = os.environ.get(str(entry["token_env"]), "")
    elif "token_file" in entry:
        token = _read_token_file(place, str(entry["token_file"]))
    else:
        token = ""
    if "token_env" in entry and not token.strip():
        raise UnusableFileError(
            f"{place}: no token; set the variable {entry['token_env']}, or remove the caller"
        )
    if not token.strip():
        raise UnusableFileError(f"{place}: no token; give token, token_env (a set variable) or token_file")
    return str(token.strip())


def _read_token_file(place: str, name: str) -> str:
    """Return the text of a file; the error does not repeat its name, which may be the token itself."""
    try:
        return resources.read_text(Path(name).expanduser())
    except (UnusableFileError, ValueError, RuntimeError):  # also a NUL, or the home of an unknown user
        raise UnusableFileError(f"{place}: token_file: expected a file of text with the token") from None
