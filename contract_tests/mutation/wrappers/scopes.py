"""Scopes: the requests for which a mutant holds: of one caller kind, operation or team, or at some times only."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from contract_tests.mutation.wrappers.twin import Applies
from contract_tests.mutation.wrappers.wsgi import RequestReader, WsgiRequest


@dataclass(slots=True)
class Phase:
    """The number of the run of the cases against an app, from 1."""

    number: int = 1


@dataclass(frozen=True, slots=True)
class Scope:
    """The requests for which a mutant holds; ``group`` is the kind of scope, ``runs`` the runs until it shows."""

    name: str
    group: str
    choose: Callable[[RequestReader, Phase], Applies] = field(repr=False)
    runs: int = 1


def _by_kind(kind: str) -> Scope:
    return Scope(
        f"{kind}-only", "caller", lambda reader, _: lambda request: reader.find_kind(request) == kind
    )


def _on(operation: str, name: str) -> Scope:
    def choose(reader: RequestReader, _phase: Phase) -> Applies:
        return lambda request: reader.find_operation(request)[0] == operation

    return Scope(f"{name}-only", "operation", choose)


def _for_team(number: int) -> Scope:
    def choose(reader: RequestReader, _phase: Phase) -> Applies:
        return lambda request: reader.find_team(request) == reader.teams[number]

    return Scope(("first-team-only", "second-team-only")[number], "team", choose)


def _every_other_time(reader: RequestReader, _phase: Phase) -> Applies:
    """Count the requests of each operation."""
    counts: dict[str, itertools.count[int]] = {}

    def applies(request: WsgiRequest) -> bool:
        counter = counts.setdefault(reader.find_operation(request)[0], itertools.count())
        return bool(next(counter) % 2)

    return applies


def _second_instance(_reader: RequestReader, _phase: Phase) -> Applies:
    """Count all requests, as a load balancer does."""
    counter = itertools.count()
    return lambda _request: bool(next(counter) % 2)


CALLER_SCOPES = (_by_kind("sk"), _by_kind("dk"), _by_kind("jwt"))
OPERATION_SCOPES = (_on("createContainer", "create"), _on("updateContainer", "update"))
TEAM_SCOPES = (_for_team(0), _for_team(1))
TIME_SCOPES = (
    Scope("second-run-only", "time", lambda _, phase: lambda _request: phase.number > 1, runs=2),
    Scope("every-other-time", "time", _every_other_time),
    Scope("second-instance-only", "time", _second_instance),
)
SCOPES = (*CALLER_SCOPES, *OPERATION_SCOPES, *TEAM_SCOPES, *TIME_SCOPES)
