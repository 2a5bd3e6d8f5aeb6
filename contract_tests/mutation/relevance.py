"""Relevance: the cases that can see a mutant, so that a survivor is not shown every case of the suite.

A mutant that changes one property of a body acts on requests that send this property. A case that sends none against
the unchanged target sends none against the mutant either.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from contract_tests.cases.building.company import has_company
from contract_tests.cases.model import Case
from contract_tests.contract.files.json_text import parse_json
from contract_tests.contract.spec import Spec
from contract_tests.mutation.mutants import Mutant
from contract_tests.mutation.sample import ScopedMutant
from contract_tests.results.judge import SUCCESS_RULES
from contract_tests.results.observation import Observation
from contract_tests.targets.exchange import Exchange

#: Operations and the properties sent to them; the property ``ANY`` stands for a body that is not well-formed.
Touched = frozenset[tuple[str, str]]
ANY = "*"


def list_touched(observations: Iterable[Observation], spec: Spec) -> dict[str, Touched]:
    """Return the properties that each case sent, by the id of the case."""
    found: dict[str, Touched] = {}
    operations = {operation.method: operation.id for operation in spec.operations.values()}
    for observation in observations:
        sent = {
            (operations.get(exchange.method, ""), name)
            for exchange in observation.exchanges
            for name in _list_properties(exchange)
        }
        found[observation.case.id] = found.get(observation.case.id, frozenset()) | sent
    return found


def select_touching(
    mutation: Any, cases: tuple[Case, ...], touched: Mapping[str, Touched]
) -> tuple[Case, ...]:
    """Return the cases that can see a change.

    A storage fault shows in a read-back only. A mutant of one property concerns the cases that send it. A mutant in a
    scope is to be found by the cases of its rules, or by the property that it changes.
    """
    inner = mutation.inner if isinstance(mutation, ScopedMutant) else mutation
    if inner.operator == "storage":
        return tuple(case for case in cases if any(s.operation == "readContainer" for s in case.steps))
    if isinstance(inner, Mutant) and (name := find_property(inner)):
        wanted = {(inner.operation, name), (inner.operation, ANY)}
        return tuple(
            case
            for case in cases
            if wanted & touched.get(case.id, wanted) and not _is_about_another(case, name)
        )
    everywhere = set(SUCCESS_RULES.values()) & set(
        mutation.rules
    )  # every accepted request is judged by these
    return () if isinstance(mutation, ScopedMutant) and not everywhere else cases


def _is_about_another(case: Case, name: str) -> bool:
    """Return whether a case must be refused for another property, and sends this one as valid company."""
    return has_company(case) and case.value is not None and case.value[2] != name


def find_property(mutant: Mutant) -> str:
    """Return the property of a body that a mutant changes, empty if it changes anything else.

    A default acts where the property is omitted, so it belongs to no property that is sent.
    """
    if mutant.keyword == "default":
        return ""
    place: tuple[Any, ...] = mutant.place
    after = place[place.index("schema") + 1 :] if "requestBody" in place and "schema" in place else ()
    return str(after[1]) if len(after) > 1 and after[0] == "properties" else ""


def _list_properties(exchange: Exchange) -> Iterable[str]:
    try:
        body = parse_json(exchange.body or "null")
    except ValueError:
        return (ANY,)
    return body if isinstance(body, dict) else ()
