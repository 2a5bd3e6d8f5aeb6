"""Probes of how a request is checked: the order of its parts, and which violations it reports."""

from collections.abc import Callable, Iterator
from itertools import product

from contract_tests.calibration.probes import faults
from contract_tests.calibration.probes.faults import Fault, Part
from contract_tests.calibration.probing.comparison import find_told, find_told_words
from contract_tests.calibration.probing.prober import Judged, Prober
from contract_tests.calibration.probing.sighting import Answer, CannotSee, Sighting, require_reaction, see
from contract_tests.execution.sending.context import CannotRun

_ORDERS: dict[str, tuple[Part, ...]] = {
    "shape-first": ("authentication", "team", "path", "body", "state"),
    "state-first": ("authentication", "team", "path", "state", "body"),
    "path-first": ("path", "authentication", "body", "team", "state"),
    "body-first": ("body", "path", "authentication", "team", "state"),
}
#: Pairs of parts that tell the orders apart, the most telling first.
_PAIRS: tuple[tuple[Part, Part], ...] = (
    ("body", "state"),
    ("authentication", "body"),
    ("authentication", "path"),
    ("path", "body"),
    ("team", "body"),
    ("team", "path"),
)
#: Pairs that are compared in any case, and requests that one pair takes at most.
_LEAST_PAIRS, _MOST_TRIES = 2, 3


def check_order(prober: Prober) -> Sighting:
    """See the order by requests with faults in two parts, which get the refusal of the first one."""
    prober.wire.require_budget()
    possible = dict(_ORDERS)
    answers: list[Answer] = []
    for pair in _PAIRS:
        firsts = {_first_of(pair, order) for order in possible.values()}
        if len(firsts) == 1 and (len(answers) >= _LEAST_PAIRS or len(possible) < 2):
            continue
        found = _compare(prober, pair)
        if found is None:
            continue
        part, answer = found
        answers.append(answer)
        possible = {name: order for name, order in possible.items() if _first_of(pair, order) == part}
        if not possible:
            raise CannotSee(f"none of the known orders: {'; '.join(each.tell() for each in answers)}")
    if len(possible) > 1:
        raise CannotSee(f"the refusals do not tell {' from '.join(possible)}")
    return see(next(iter(possible)), answers, "high" if len(answers) >= _LEAST_PAIRS else "medium")


def _first_of(pair: tuple[Part, Part], order: tuple[Part, ...]) -> Part:
    return min(pair, key=order.index)


def _compare(prober: Prober, pair: tuple[Part, Part]) -> tuple[Part, Answer] | None:
    """Return which part is checked first, and the answer that shows it; None if no refusal shows it."""
    faulty = list(product(*(list(_list_faults(prober, part)) for part in pair)))
    faulty.sort(key=lambda two: _have_same_status(prober, two))  # another status decides without texts
    for two in faulty[:_MOST_TRIES]:
        first, second = (faults.ask(prober, each) for each in two)
        answer, again = faults.ask(prober, *two), faults.ask(prober, *two, again=True)
        told = {
            find_told(each, first, second) if each.reaction == "refused" else "" for each in (answer, again)
        }
        if told in ({"first"}, {"second"}):
            _require_constant(prober, two)
            return pair[told == {"second"}], answer
    return None


def _require_constant(prober: Prober, two: tuple[Fault, ...]) -> None:
    """Raise CannotSee if one of two faults is not refused as before: then their order proves nothing."""
    for fault in two:
        first, again = faults.ask(prober, fault), faults.ask(prober, fault, again=True)
        if require_reaction(again, "refused").status != first.status:
            raise CannotSee(f"{again.tell()}, and before {first.status}")


def _have_same_status(prober: Prober, two: tuple[Fault, ...]) -> bool:
    return len({faults.ask(prober, fault).status for fault in two}) == 1


def _list_faults(prober: Prober, part: Part) -> Iterator[Fault]:
    """Yield the faults of a part that are refused alone."""
    makers: dict[Part, tuple[Callable[[], Fault], ...]] = {
        "authentication": (lambda: faults.NO_TOKEN, lambda: faults.AGENT_KEY),
        "team": (lambda: faults.MALFORMED_TEAM, lambda: faults.NO_TEAM),
        "path": (lambda: faults.MALFORMED_ID,),
        "body": (
            lambda: faults.INVALID_VALUE,
            lambda: faults.MALFORMED_BODY,
            lambda: faults.OTHER_MEDIA_TYPE,
        ),
        "state": (lambda: faults.unknown_service(prober), lambda: faults.foreign_service(prober)),
    }
    for make in makers[part]:
        try:
            fault = make()
            require_reaction(faults.ask(prober, fault), "refused")
        except (CannotSee, CannotRun):
            continue
        yield fault


def reported_violations(prober: Prober) -> Sighting:
    """See whether the refusal of two wrong values reports both; all requests name the same properties."""
    port, count = "exposed_port", "replica_count"
    first = prober.update(body={port: 0, count: 1}, judged=Judged("exposed-port-range", "refuse"))
    second = prober.update(body={port: 8080, count: 0}, judged=Judged("replica-count-range", "refuse"))
    both, again = (
        prober.update(f"with the {port} 0 and the {count} 0{more}", {port: 0, count: 0})
        for more in ("", " again")
    )
    for answer in (first, second, both, again):
        require_reaction(answer, "refused")
    if not both.text:
        raise CannotSee("refusals have no body")
    told = find_told_words(both, first, second)
    if told != find_told_words(again, first, second):
        raise CannotSee("the same request is refused now for one value, now for another")
    if not told:
        raise CannotSee("the refusals do not tell which value is wrong")
    return see("all" if told == "both" else "first", [both, first, second])
