"""The sections of the page in their order: method, tables and chart of each benchmark."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.report import mock_tables, section_charts, suite_tables
from benchmarks.report.aims import MAX_GROWTH
from benchmarks.report.table import Table


@dataclass(frozen=True, slots=True)
class Section:
    """A benchmark on the page: its title, its method, its tables and perhaps a chart."""

    title: str
    method: str
    build_tables: Callable[[Mapping[str, Any]], list[Table]]
    draw_chart: Callable[[Mapping[str, Any]], str] | None = None


SECTIONS: dict[str, Section] = {
    "mock": Section(
        "The mock beside other mocks",
        "All contenders run at the same time. Each round loads them one after the other over 8 open connections; "
        "each connection sends its next request as soon as the response is complete. CPU is the user and system "
        "time of the server and all its children, without the client. *bare Flask* is the baseline: a view that "
        "parses the JSON and answers with an id, on granian's WSGI interface with 4 threads. It does not validate "
        "requests. *mock* and *Prism* log as they do by default, into a pipe with a reader. openapi-backend needs "
        "20 lines of glue. openapi-backend, Prism and Scalar store nothing. All contenders are warm before the "
        "first round: Node needs some thousand requests.",
        mock_tables.build_mock_tables,
        section_charts.draw_mock_chart,
    ),
    "stores": Section(
        "The stores of the mock",
        "The mock with `--quiet` on each store. The CPU excludes the database server. Each create and update waits "
        "for the disk of the database.",
        mock_tables.build_store_tables,
    ),
    "services": Section(
        "Growth with the number of services",
        "Mocks with a filled store, side by side for each kind of store. The aim is flat CPU: with the most "
        f"services at most {MAX_GROWTH:g} times that with one, which allows for the noise of the rounds.",
        mock_tables.build_service_tables,
        section_charts.draw_service_chart,
    ),
    "sizes": Section(
        "Growth with the size of a body",
        "A valid create with more and more environment variables.",
        mock_tables.build_size_tables,
    ),
    "gate": Section(
        "The gate",
        "`contract-tests run` with all reports, on a new mock each time, from the start of Python to its end. CPU is "
        "that of the client. A proxy adds the latency: it delays all bytes from the client.",
        suite_tables.build_gate_tables,
        section_charts.draw_gate_chart,
    ),
    "fuzzing": Section(
        "Fault finding",
        "The faults are planted in the mock. They are taken at equal distances from the fault tables of this "
        "project's own tests, so the whole gate is known to find them. The comparison shows the work that this "
        "takes, and the faults that a part of the gate finds. Each run has one fault and a new server, and runs to "
        "its own end; two runs share the machine. `contract-tests` finds a fault if it reports a violated rule. "
        "`st run` finds a fault if it reports a failure (kind, operation and invalid component) that it does not "
        "report for the correct mock. Its failures on the correct mock are the *alarms*. *st run, tuned* uses the "
        "`oneOf` view of the contract, two filters against alarms (`benchmarks/st_hooks.py`), and enough examples "
        "for about a thousand requests. `st run` knows one caller and generates all its requests. `contract-tests "
        "run` knows several callers and also sends requests from tables. *generated requests alone* is "
        "`contract-tests run` without these tables. *a quarter of it* is `--shard 1/4`, whose number of requests is "
        "close to that of `st run`. *found per 1000 requests* counts the requests of all runs.",
        suite_tables.build_fuzzing_tables,
        section_charts.draw_fuzzing_chart,
    ),
    "curve": Section(
        "Faults found by requests",
        "Fewer faults of the same tables, once per seed. *run --budget N* sends the cases of its plan first. *the "
        "order of the tables* is the default run, stopped after N requests. Both run in process, the preflight is "
        "part of the N requests, and a fault is found by a violated rule. The plan is learnt from these faults and "
        "some thousand others, so its curve says how well they fit into so few requests, not how it does on faults "
        "that nobody knows. `st run` runs to its end over HTTP; its findings, less its alarms on the correct mock, "
        "count from the request that first shows one. What it has not found by then stays unfound.",
        suite_tables.build_curve_tables,
        section_charts.draw_curve_chart,
    ),
    "mutation": Section(
        "Mutants",
        "`contract-tests mutate` on the mock, in process.",
        suite_tables.build_mutation_tables,
    ),
}
