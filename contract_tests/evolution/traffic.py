"""Recorded calls played again: which of those that succeeded break under the new contract.

A recording shows neither tokens nor the stored state. So each call is sent by a caller of the fixtures of the same
kind, and an update follows the create of a service of its type.
"""

import base64
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contract_tests.cases.model import NO_SLUG, Case, OperationId, Step
from contract_tests.contract.files.json_text import parse_json
from contract_tests.contract.spec import Spec
from contract_tests.evolution.bodies import CREATE, UPDATE, ServiceType
from contract_tests.evolution.changes import Change
from contract_tests.evolution.play import Played, Player
from contract_tests.evolution.search import Evolution
from contract_tests.generation.oracle import CREDENTIAL_PROPERTY
from contract_tests.results.judge import read_id
from contract_tests.results.recorded.recording import RecordedCall, Recording, read_calls
from contract_tests.results.recorded.secrets import find_secrets
from contract_tests.targets.base import is_success
from contract_tests.targets.exchange import Redactor

_NOT_SUCCESSFUL = "the recording shows no success"
_PART = "the recording has only a part of the request"
_NO_SERVICE = "both contracts accept no create of a service to update"
_REFUSED = "the old contract refuses it here"
_NOT_PLAYED = "the limits of the search were reached"
#: Stands for the rule of a recorded call, whose slug is sent as it is.
_LITERAL = "service-slug"
_CALLERS = {"sk": "sk-red", "dk": "dk-red", "jwt": "jwt-red"}
#: Headers of the connection or the recorder, and those that the player writes itself.
_OWN_HEADERS = frozenset(
    {"authorization", "connection", "content-length", "cookie", "host", "te", "trailer", "transfer-encoding",
     "upgrade", "user-agent"}
)  # fmt: skip
_USUAL_NAMES = {"content-type": "Content-Type", "x-team-id": "X-Team-ID"}


@dataclass(frozen=True, slots=True)
class BrokenCall:
    """A kind of call that breaks: its numbers in the recording, how it was played, the changes that explain it."""

    numbers: tuple[int, ...]
    witness: Played
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Traffic:
    """The calls of a recording: how many were played, those that break, and why others were left out."""

    played: int
    broken: tuple[BrokenCall, ...]
    left_out: Mapping[str, int]


def play_recording(evolution: Evolution, recording: Recording) -> Traffic:
    """Play the calls of the two operations again on apps of both contracts."""
    spec = Spec(evolution.documents[0], evolution.operations[0])
    calls, left_out = list(read_calls(recording, spec)), Counter[str]()
    types, by_key = _find_types(calls), dict[str, tuple[RecordedCall, list[int]]]()
    for call in calls:
        if reason := _find_obstacle(call):
            left_out[reason] += 1
            continue
        key = repr((_build_step(call), types.get(call.service or "")))
        by_key.setdefault(key, (call, []))[1].append(call.number)
    tokens = {caller.token for caller in evolution.caller_pool.callers}
    replayer = _Replayer(evolution, Redactor({*find_secrets(recording.entries), *tokens}), types)
    broken, total = [], 0
    for call, numbers in by_key.values():
        played = replayer.play(call)
        if isinstance(played, str):
            left_out[played] += len(numbers)
            continue
        total += len(numbers)
        if played.kinds[0] == "breaking":
            changes = tuple(evolution.explain(played, call.operation))
            broken.append(BrokenCall(tuple(numbers), played, changes))
    return Traffic(total, tuple(broken), dict(left_out))


@dataclass(slots=True)
class _Replayer:
    """Plays calls; apps are opened anew before a slug is sent a second time."""

    evolution: Evolution
    redactor: Redactor
    types: Mapping[str, ServiceType]
    _players: dict[OperationId, Player] = field(default_factory=dict)
    _slugs: set[tuple[OperationId, str]] = field(default_factory=set)

    def play(self, call: RecordedCall) -> Played | str:
        """Return what a call showed, or why it shows nothing."""
        if self.evolution.budget.is_spent:
            return _NOT_PLAYED
        steps: tuple[Step, ...] = (_build_step(call),)
        if call.operation == UPDATE:
            plain = self.evolution.builder.build_plain(CREATE, self.types.get(call.service or "", "deployed"))
            if plain is None:
                return _NO_SERVICE
            steps = (*plain.steps, *steps)
        player = self._open_player(call)
        played = player.play(Case("recorded", _LITERAL, "cases", steps))
        sent = played.exchanges[0]
        return played if len(sent) == len(steps) and 200 <= sent[-1].status < 300 else _REFUSED

    def _open_player(self, call: RecordedCall) -> Player:
        """Return apps that have not yet seen the slug of a call."""
        name, slug = call.operation, str(_read_object(call.request.body).get("service_slug") or "")
        if name not in self._players or (name, slug) in self._slugs:
            self._players[name] = self.evolution.open_player(operation=name, redactor=self.redactor)
            self._slugs = {each for each in self._slugs if each[0] != name}
        self._slugs.add((name, slug))
        return self._players[name]


def _find_obstacle(call: RecordedCall) -> str:
    """Return why a call is left out, an empty string if it can be played."""
    if not is_success(call.response):
        return _NOT_SUCCESSFUL
    return "" if call.whole_request else _PART


def _build_step(call: RecordedCall) -> Step:
    raw = {"$bytes": base64.b64encode(call.request.body or b"").decode()}
    role = _CALLERS.get(call.caller_kind, "red")
    return Step(call.operation, role, headers=tuple(_list_headers(call)), raw=raw, slug=NO_SLUG)


def _find_types(calls: list[RecordedCall]) -> dict[str, ServiceType]:
    """Return the types of the services in a recording, as their creates or their updates show."""
    types: dict[str, ServiceType] = {}
    for call in calls:
        body = _read_object(call.request.body)
        if call.operation == CREATE and (identifier := read_id(call.response)):
            types[identifier] = "external" if body.get("service_type") == "external" else "deployed"
        external = "external_url" in body or body.get(CREDENTIAL_PROPERTY) is not None
        if call.operation == UPDATE and call.service and external and is_success(call.response):
            types[call.service] = "external"
    return types


def _list_headers(call: RecordedCall) -> Iterator[tuple[str, str | None]]:
    """Yield the headers of a call; a JWT caller of the fixtures names one of its teams."""
    for name, value in call.request.headers:
        lower = name.lower()
        known_team = lower == "x-team-id" and call.caller_kind == "jwt" and _is_uuid(value)
        if lower not in _OWN_HEADERS and not name.startswith(":") and not known_team:
            yield _USUAL_NAMES.get(lower, name), value


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _read_object(raw: bytes | None) -> dict[str, Any]:
    try:
        body = parse_json(raw or b"")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
