"""Faults that are planted, and who finds them with how much work: this suite, and Schemathesis' own command."""

import importlib
import json
import re
import sys
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.load.workloads import CALLER
from benchmarks.processes import server
from benchmarks.processes.server import BrokenError, Done
from benchmarks.servers.apps import COUNTED
from benchmarks.suites.gate import GATE, HOOK
from benchmarks.suites.rounds import Tell
from benchmarks.suites.scale import Scale
from mock_server.contract import resources

#: The name of the mock without a fault.
RIGHT = "none"
_COMPONENT = re.compile(r"Invalid component: (.*?)(?: - |$)", re.MULTILINE)
#: A run that takes longer is no run of a CI.
_PATIENCE = 180
Command = Callable[[str, Path], list[str]]


@dataclass(frozen=True, slots=True)
class Fuzzer:
    """A command line for a URL and a folder, and what it says is wrong by what it wrote."""

    name: str
    command: Command
    told: Callable[[Done, Path], frozenset[str]]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """A fuzzer on a fault: what it says is wrong, and what it took."""

    fuzzer: str
    fault: str
    told: frozenset[str]
    seconds: float
    cpu_seconds: float
    requests: int


def _gate(*options: str) -> Command:
    return lambda url, made: [
        *GATE, *HOOK, "--target", url, "--report", str(made), "--quiet", "--strict", *options
    ]  # fmt: skip


def _st(document: str, *options: str) -> Command:
    def command(url: str, made: Path) -> list[str]:
        contract = made / "contract.yaml"
        if document == "--one-of":
            printed = server.run([sys.executable, "-m", "mock_server", "spec", document], timeout=60)
            contract.write_text(printed.said, encoding="utf-8")
        else:
            contract.write_bytes(resources.find_resource("spec/openapi.yaml").read_bytes())
        return [
            str(Path(sys.executable).with_name("st")), "run", str(contract), "--url", url,
            "-H", f"Authorization: Bearer {CALLER}",
            "--report", "ndjson", "--report-ndjson-path", str(made / "st.ndjson"), *options,
        ]  # fmt: skip

    return command


def _violated(done: Done, made: Path) -> frozenset[str]:
    report = json.loads((made / "report.json").read_text(encoding="utf-8"))
    rules = {row["rule"] for row in report["rules"] if row["verdict"] == "violated"}
    return frozenset(rules) if done.code == 1 else frozenset()


def _failed(_done: Done, made: Path) -> frozenset[str]:
    """Kind of failure, operation, and the part of the request that was invalid."""
    return frozenset(
        " | ".join((failure["type"], failure["operation"], *_COMPONENT.findall(failure["message"])[:1]))
        for line in (made / "st.ndjson").read_text(encoding="utf-8").splitlines()
        for failure in _failures(json.loads(line))
    )


def _failures(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if {"type", "operation", "message"} <= value.keys():
            yield value
        for inner in value.values():
            yield from _failures(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _failures(inner)


#: Each runs to its own end. The third and the last are told to send about as much as the first.
FUZZERS = (
    Fuzzer("contract-tests run", _gate(), _violated),
    Fuzzer("a quarter of it", _gate("--shard", "1/4"), _violated),
    Fuzzer("generated requests alone", _gate("--layers", "properties", "--max-examples", "80"), _violated),
    Fuzzer("st run", _st(""), _failed),
    Fuzzer(
        "st run, tuned",
        _st("--one-of", "--continue-on-failure", "--max-examples", "250"),
        _failed,
        {"SCHEMATHESIS_HOOKS": "benchmarks.st_hooks", "PYTHONPATH": str(server.ROOT)},
    ),
)


def measured(scale: Scale, tell: Tell) -> dict[str, Any]:
    """By fuzzer: what it found, and what all its runs took. Two run at a time."""
    faults = _sample(scale.faults)
    jobs = [(fuzzer, fault) for fault in (*[RIGHT] * scale.corrects, *faults) for fuzzer in FUZZERS]
    with ThreadPoolExecutor(2) as pool:
        try:
            done = pool.map(lambda job: _tried(job[0], job[1], tell), jobs)
            runs = [run for run in done if run is not None]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            server.end_all()
            raise
    return {
        "faults": {name: kind for name, (kind, _) in faults.items()},
        "fuzzers": {
            fuzzer.name: _summary([run for run in runs if run.fuzzer == fuzzer.name], faults)
            for fuzzer in FUZZERS
        },
    }


_TABLES = ("callers", "wire", "values", "state", "unique", "times")


def _sample(count: int) -> dict[str, tuple[str, frozenset[str]]]:
    """Every so manieth of the faults of the tests, with its table and the rules that it breaks."""
    tables = {name: importlib.import_module(f"tests.quality.faults_{name}") for name in _TABLES}
    everything = [(fault, name) for name, module in tables.items() for fault in getattr(module, name.upper())]
    step = max(1, len(everything) // count)
    return {fault.name: (kind, fault.breaks) for fault, kind in everything[step // 2 :: step][:count]}


def _tried(fuzzer: Fuzzer, fault: str, tell: Tell) -> Run | None:
    port = server.free_port()
    command = [sys.executable, "-m", "benchmarks.servers.apps", str(port), "faulty", fault]
    first = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % COUNTED.encode()
    try:
        with server.served(command, port, first), server.folder() as made:
            url = f"http://127.0.0.1:{port}"
            line = fuzzer.command(f"{url}/api/v1", made)
            done = server.run(line, timeout=_PATIENCE, environment=fuzzer.environment, where=made)
            with urllib.request.urlopen(url + COUNTED, timeout=30) as answered:
                count = int(answered.read())
            told = fuzzer.told(done, made)
    except (BrokenError, OSError, ValueError) as broken:
        tell(f"{fuzzer.name} on {fault}: {broken}")
        return None
    tell(f"{fuzzer.name} on {fault}: {', '.join(sorted(told)) or 'nothing'}; {count} requests")
    return Run(fuzzer.name, fault, told, done.seconds, done.cpu_seconds, count)


def _summary(runs: list[Run], faults: dict[str, tuple[str, frozenset[str]]]) -> dict[str, Any]:
    """A fault is found by what is told of it and not of the right mock; named, where that is the rule it breaks."""
    alarms = frozenset[str]().union(*(run.told for run in runs if run.fault == RIGHT))
    right = [run for run in runs if run.fault == RIGHT]
    tried = [run for run in runs if run.fault != RIGHT]
    return {
        "found": [run.fault for run in tried if run.told - alarms],
        "named": [run.fault for run in tried if run.told & faults[run.fault][1]],
        "alarms": sorted(alarms),
        "runs": len(tried),
        "seconds": sum(run.seconds for run in tried),
        "CPU seconds": sum(run.cpu_seconds for run in tried),
        "requests": sum(run.requests for run in tried),
        "requests per CPU second": sum(run.requests for run in right)
        / max(0.01, sum(run.cpu_seconds for run in right)),
    }
