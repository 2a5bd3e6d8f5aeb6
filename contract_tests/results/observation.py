"""Observation: what one case showed about the target."""

from dataclasses import dataclass

from contract_tests.cases.model import Case
from contract_tests.results.judge import Judgement
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

    A violation has a ``sibling`` if one was looked for and found, and the ``line`` of the contract that it crosses;
    one that shows only sometimes has a ``rate``.
    """

    case: Case
    judgement: Judgement
    exchanges: tuple[Exchange, ...] = ()
    sibling: Sibling | None = None
    line: str = ""
    rate: Rate | None = None


def observation_size(observation: Observation) -> tuple[int, int]:
    """Return the number of exchanges and of characters sent, for choosing the smallest observation."""
    return exchanges_size(observation.exchanges)


def exchanges_size(exchanges: tuple[Exchange, ...]) -> tuple[int, int]:
    """Return the number of exchanges and of characters in their request bodies."""
    return len(exchanges), sum(len(exchange.body or "") for exchange in exchanges)
