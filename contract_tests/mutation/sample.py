"""The sample of scoped mutants: each rule once in each group of scopes, instead of every mutant in every scope."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from contract_tests.contract.rules import Catalogue, Rule
from contract_tests.mutation.behaviours import Behaviour
from contract_tests.mutation.faults import PlantedFault
from contract_tests.mutation.mutants import Mutant
from contract_tests.mutation.scopes import (
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

    Without any, the first planted fault of this rule alone.
    """
    own = [mutant for mutant in mutants if rule in mutant.rules[:1]]
    found = [next(_filter_mutants(own, operation, operators), None)
             for operators in (_DROPPING, _TIGHTENING) for operation in ("create", "update")]  # fmt: skip
    planted = [fault for fault in own if isinstance(fault, PlantedFault) and fault.rules == (rule,)]
    return [mutant for mutant in found if mutant is not None] or [*planted[:1]]


def _makes_sense(mutant: Unscoped, scope: Scope) -> bool:
    """Return whether a scope can hold for one operation only: mutants and behaviours have their operation already.

    A team that a create takes from the header shows in later updates, which the other app would see otherwise.
    """
    if scope.group != "operation":
        return True
    by_name = "-on-" in mutant.id or "team-ignored-for-credentials" in mutant.rules
    return isinstance(mutant, PlantedFault) and not by_name


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
    if rule.stage == "authentication" or (rule.stage == "team" and rule.kind == "constraint"):
        return scopes  # these requests have no valid caller, or only a JWT can send them
    callers = CALLER_SCOPES[:2] if rule.stage == "team" else CALLER_SCOPES
    return [*scopes, callers[number % len(callers)], TEAM_SCOPES[number % 2]]
