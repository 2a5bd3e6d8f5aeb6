"""The results as tables: what a reader compares stands in one column."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.load.figures import Figure, spread
from benchmarks.load.workloads import WORKLOADS
from benchmarks.suites.rounds import Costs

_NAMES = tuple(workload.name for workload in WORKLOADS)
LAYERS = ("cases", "wire", "lifecycle", "race", "properties")
MOCK, QUIET, BARE = "mock", "mock --quiet", "bare Flask"


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the heads of the columns, and rows of text."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def mock(found: Mapping[str, Any]) -> list[Table]:
    """What a request costs, how fast it is answered, what a start takes, and whether that is what was aimed at."""
    costs: Costs = found["costs"]
    return [
        _cpu("CPU of the server per request, in microseconds (times bare Flask)", costs, _NAMES, BARE),
        _speed(costs, _NAMES),
        _starts(found),
        _aims(found),
    ]


def stores(found: Mapping[str, Any]) -> list[Table]:
    """What a request costs with each store."""
    names = ("valid create", "update")
    title = "CPU of the server per request, in microseconds (times memory)"
    return [_cpu(title, found["costs"], names, "memory, 1 worker"), _speed(found["costs"], names)]


def services(found: Mapping[str, Any]) -> list[Table]:
    """What a request costs the more services are stored."""
    names = ("valid create", "update")
    rows = [
        (
            name,
            *(
                _times(of[each]["cpu"], found["costs"][_first(found["costs"], name)][each]["cpu"])
                for each in names
            ),
            *(f"{of[each]['p99']['median']:.1f}" for each in names),
            f"{found['memory'].get(name, 0):.0f}",
        )
        for name, of in found["costs"].items()
    ]
    head = (
        "",
        *(f"{name}: CPU us (times 1 stored)" for name in names),
        *(f"{n}: p99 ms" for n in names),
        "MB",
    )
    return [Table("CPU of the server per request by services stored", head, tuple(rows))]


def _first(costs: Costs, name: str) -> str:
    return next(each for each in costs if each.partition(",")[0] == name.partition(",")[0])


def sizes(found: Mapping[str, Any]) -> list[Table]:
    """What a valid create costs the larger it is."""
    names = tuple(next(iter(found["costs"].values()), {}))
    title = "CPU of the server per valid create by size, in microseconds (times bare Flask)"
    return [_cpu(title, found["costs"], names, BARE)]


def gate(found: Mapping[str, Any]) -> list[Table]:
    """Seconds to a full verdict by latency, and where they go."""
    names = ("seconds", "CPU seconds", "requests", "start and reports", *LAYERS)
    rows = tuple(
        (f"{latency} ms", *(_plain(of[name]) if name in of else "" for name in names))
        for latency, of in found.items()
    )
    return [Table("A full verdict on the mock", ("latency", *names), rows)]


def fuzzing(found: Mapping[str, Any]) -> list[Table]:
    """Who finds what, and by how much work; and the faults, one by one."""
    fuzzers = found["fuzzers"]
    head = (
        *("", "found", "by the name of the rule", "requests a run", "per 1000 requests", "per minute"),
        *("requests per CPU second", "seconds a run", "alarms"),
    )
    rows = tuple(
        (
            name,
            f"{len(of['found'])} of {of['runs']}",
            f"{len(of['named'])}" if of["named"] else "",
            f"{of['requests'] / max(1, of['runs']):.0f}",
            f"{len(of['found']) / max(1, of['requests']) * 1000:.2f}",
            f"{len(of['found']) / max(1, of['seconds']) * 60:.1f}",
            f"{of['requests per CPU second']:.0f}",
            f"{of['seconds'] / max(1, of['runs']):.1f}",
            str(len(of["alarms"])),
        )
        for name, of in fuzzers.items()
    )
    each = tuple(
        (kind, fault, *("yes" if fault in of["found"] else "" for of in fuzzers.values()))
        for fault, kind in found["faults"].items()
    )
    return [Table("Faults found", head, rows), Table("Which ones", ("kind", "fault", *fuzzers), each)]


def mutation(found: Mapping[str, Any]) -> list[Table]:
    """Mutants per second."""
    count, seconds, used = found["mutants"], found["seconds"], found["CPU seconds"]
    row = (f"{count}", f"{seconds:.1f}", f"{count / seconds:.1f}", f"{count / used:.1f}", f"{found['jobs']}")
    head = ("mutants", "seconds", "per second", "per CPU second", "processes")
    return [Table("Mutants tried, the start of Python included", head, (row,))]


def _cpu(title: str, costs: Costs, names: Sequence[str], base: str) -> Table:
    rows = (
        (name, *(_times(of[each]["cpu"], costs.get(base, {}).get(each, {}).get("cpu")) for each in names))
        for name, of in costs.items()
    )
    return Table(title, ("", *names), tuple(rows))


def _speed(costs: Costs, names: Sequence[str]) -> Table:
    def cell(of: Mapping[str, Figure]) -> str:
        return f"{of['rate']['median']:,.0f}; {of['p50']['median']:.1f} / {of['p99']['median']:.1f}"

    rows = ((name, *(cell(of[each]) for each in names)) for name, of in costs.items())
    return Table("Requests per second; p50 / p99 in milliseconds", ("", *names), tuple(rows))


def _starts(found: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            name,
            f"{of['seconds']['median']:.2f} ({of['seconds']['low']:.2f})",
            f"{of['cpu']['median']:.2f}",
            f"{of['memory']['median']:.0f}",
            f"{found['memory'].get(name, 0):.0f}",
        )
        for name, of in found["starts"].items()
    )
    head = ("", "seconds to the first answer (least)", "CPU seconds", "MB at first", "MB after the rounds")
    return Table("Start and memory", head, rows)


def _aims(found: Mapping[str, Any]) -> Table:
    costs: Costs = found["costs"]
    rows = []
    for mine, other, most in _AIMS:
        if mine in costs and other in costs:
            ratios = [costs[mine][n]["cpu"]["median"] / costs[other][n]["cpu"]["median"] for n in _NAMES]
            rows.append(_aim(f"CPU of {mine} to {other}", ratios, most))
    starts = found["starts"]
    if "Prism" in starts:
        ratio = starts[MOCK]["seconds"]["median"] / starts["Prism"]["seconds"]["median"]
        rows.append(_aim("seconds to the first answer, to Prism", [ratio], 0.5))
    rows.append(
        _aim("first answer in process, milliseconds", [found["in process"]["first answer"]["median"]], 20)
    )
    return Table("What was aimed at", ("", "wanted at most", *_NAMES, ""), tuple(rows))


_AIMS = (
    (MOCK, BARE, 1.3),
    (QUIET, BARE, 1.3),
    (MOCK, "openapi-backend", 1.0),
    (QUIET, "openapi-backend", 1.0),
    (MOCK, "Prism", 0.25),
    (QUIET, "Prism -v silent", 0.5),
)


def _aim(what: str, values: Iterable[float], most: float) -> tuple[str, ...]:
    told = tuple(values)
    met = "met" if max(told) <= most else "not met"
    cells = (*(f"{value:.2f}" for value in told), *[""] * (len(_NAMES) - len(told)))
    return (what, f"{most:g}", *cells, met)


def _times(value: Figure, base: Figure | None) -> str:
    times = f" ({value['median'] / base['median']:.2f})" if base else ""
    return f"{value['median']:,.0f}{times}"


def _plain(value: Figure) -> str:
    return f"{value['median']:,.0f}" if value["median"] >= 100 else f"{value['median']:.2f}"


def noise(found: Any) -> list[float]:
    """The spreads of all figures of CPU in a result."""
    if not isinstance(found, Mapping):
        return []
    own = [spread(of) for name, of in found.items() if name in {"cpu", "seconds"} and _is_figure(of)]
    return own + [each for inner in found.values() for each in noise(inner)]


def _is_figure(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == Figure.__annotations__.keys()
