"""Observation: what one case showed about the target."""

from collections.abc import Sequence
from dataclasses import dataclass

from contract_tests.cases.model import Case
from contract_tests.results.judge import Judgement
from contract_tests.results.reproduction.fresh_slugs import is_taken_again
from contract_tests.results.statistics import Rate
from contract_tests.targets.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Sibling:
    """The nearest request that behaved, one edit apart from a violation.

    ``edit`` says what differs, from the violation to the sibling, and ``received`` how it was answered.
    """

    edit: str
    received: str
    case: Case
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """A case, the judgement on it, and every exchange that was made for it.

    ``setup`` are the creates of services that the case shares with others: they were sent before it.
    A violation has a ``sibling`` if one was looked for and found, and the ``line`` of the contract that it crosses;
    one that shows only sometimes has a ``rate``.
    """

    case: Case
    judgement: Judgement
    exchanges: tuple[Exchange, ...] = ()
    setup: tuple[Exchange, ...] = ()
    sibling: Sibling | None = None
    line: str = ""
    rate: Rate | None = None


def reproduction_cost(case: Case, exchanges: Sequence[Exchange]) -> tuple[bool, int, int, bool]:
    """Return a key that is smallest for the observation that is easiest to show again.

    That is one whose slug can be sent again, with few exchanges and few characters in their bodies, by callers that
    need not name a team.
    """
    size = sum(len(exchange.body or "") for exchange in exchanges)
    by_jwt = any(exchange.caller_kind == "jwt" for exchange in exchanges)
    return is_taken_again(case, exchanges), len(exchanges), size, by_jwt
