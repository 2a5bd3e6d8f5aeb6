"""The sample of scoped mutants: each rule once in each group of scopes, instead of every mutant in every scope."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from contract_tests.contract.rules import Catalogue, Rule
from contract_tests.mutation.faults import PlantedFault
from contract_tests.mutation.mutants import Mutant
from contract_tests.mutation.wrappers.behaviours import Behaviour
from contract_tests.mutation.wrappers.scopes import (
    CALLER_SCOPES,
    OPERATION_SCOPES,
    TEAM_SCOPES,
    TIME_SCOPES,
    Scope,
)

Unscoped = Mutant | Behaviour | PlantedFault


@dataclass(frozen=True, slots=True)
class ScopedMutant:
    """A mutant, a behaviour or a planted fault that holds for some requests only."""

    inner: Unscoped
    scope: Scope

    @property
    def id(self) -> str:
        """The scope and the id of the mutant."""
        return f"scope:{self.scope.name} {self.inner.id}"

    @property
    def operator(self) -> str:
        """The group of the scope."""
        return f"scope-{self.scope.group}"

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules of the mutant."""
        return self.inner.rules

    def diff(self, document: Mapping[str, Any]) -> str:
        """Return the scope and the change."""
        return f"{self.scope.name.replace('-', ' ')}:\n{self.inner.diff(document)}"


def sample_scoped(
    mutants: Sequence[Unscoped], catalogue: Catalogue, equivalent: Iterable[str]
) -> tuple[ScopedMutant, ...]:
    """Return the sample; a rule alternates between its mutants, and between the scopes of a group."""
    listed = tuple(equivalent)
    usable = [mutant for mutant in mutants if not any(fnmatchcase(mutant.id, name) for name in listed)]
    found: dict[str, ScopedMutant] = {}
    for number, rule in enumerate(catalogue.values()):
        chosen = choose_representatives(rule.id, usable)
        for offset, scope in enumerate(list_scopes(rule, number)):
            for mutant in chosen[(number + offset) % len(chosen) :][:1] if chosen else ():
                if _makes_sense(mutant, scope):
                    scoped = ScopedMutant(mutant, scope)
                    found.setdefault(scoped.id, scoped)
    return tuple(found.values())


def choose_representatives(rule: str, mutants: Iterable[Unscoped]) -> list[Unscoped]:
    """Return up to four mutants of a rule: the first that drop it and that tighten it, on each operation.

    Without any, a planted fault of this rule alone; if possible one that concerns all callers and operations.
    """
    own = [mutant for mutant in mutants if rule in mutant.rules[:1]]
    found = [next(_filter_mutants(own, operation, operators), None)
             for operators in (_DROPPING, _TIGHTENING) for operation in ("create", "update")]  # fmt: skip
    planted = [
        fault
        for fault in own
        if isinstance(fault, PlantedFault) and fault.rules == (rule,) and not _names_any(fault, _TIME_WORDS)
    ]
    planted.sort(key=lambda fault: (_names_any(fault, _CALLER_WORDS), _names_any(fault, _OPERATION_WORDS)))
    return [mutant for mutant in found if mutant is not None] or [*planted[:1]]


def _names_any(fault: PlantedFault, words: frozenset[str]) -> bool:
    return bool(words & set(fault.id.partition(":")[2].split("-")))


def _makes_sense(mutant: Unscoped, scope: Scope) -> bool:
    """Return whether a mutant can hold in a scope: a planted fault may already be one of some callers or operations.

    Mutants of the contract and behaviours are always those of one operation.
    """
    if scope.group == "time":
        return True
    if not isinstance(mutant, PlantedFault):
        return scope.group != "operation"
    return not _names_any(mutant, _OPERATION_WORDS if scope.group == "operation" else _CALLER_WORDS)


_CALLER_WORDS = frozenset({"sk", "dk", "ak", "jwt"})
_TIME_WORDS = frozenset({"first", "time"})
_OPERATION_WORDS = _CALLER_WORDS | {"create", "update"}
_DROPPING = ("drop", "change", "storage")
_TIGHTENING = ("narrow", "exclusive", "cap", "floor", "refuse", "close", "refusal")


def _filter_mutants(
    mutants: Iterable[Unscoped], operation: str, operators: tuple[str, ...]
) -> Iterator[Unscoped]:
    for mutant in mutants:
        place = mutant.operation if isinstance(mutant, Mutant) else mutant.id.rpartition("-on-")[2]
        if mutant.operator in operators and place.startswith(operation):
            yield mutant


def list_scopes(rule: Rule, number: int) -> list[Scope]:
    """Return the scopes that make sense for a rule, one of each group; ``number`` rotates within the groups."""
    scopes: list[Scope] = list(TIME_SCOPES)
    if len(rule.operations) > 1:
        scopes.append(OPERATION_SCOPES[number % 2])
    if rule.stage in ("authentication", "team"):
        return scopes  # their requests have no valid caller, or those of some kinds only
    return [*scopes, CALLER_SCOPES[number % 3], TEAM_SCOPES[number % 2]]
