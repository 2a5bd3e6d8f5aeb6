"""Who is compared: an explicit table. What is not installed is skipped with a word."""

import contextlib
import http.client
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import workloads
from benchmarks.load.figures import percentile
from benchmarks.load.generator import load
from benchmarks.load.workloads import WORKLOADS, Workload
from benchmarks.processes import server as processes
from benchmarks.processes.server import ROOT, BrokenError, Server
from mock_server.contract import export, resources

PACKAGES = ROOT / "benchmarks/node_modules"
PEERS = ROOT / "benchmarks/peers"
PRISM = PACKAGES / ".bin/prism"
MOCK = [sys.executable, "-m", "mock_server"]


@dataclass(frozen=True, slots=True)
class Contender:
    """How a server is started, given a port and a folder to write in, and where its routes are."""

    name: str
    command: Callable[[int, Path], list[str]]
    base: str = "/api/v1"
    logs: bool = False
    stores: bool = False
    refuses: bool = True
    needs: tuple[Path, ...] = ()

    @property
    def missing(self) -> str:
        """What is needed and not here, or nothing."""
        if self.needs and shutil.which("node") is None:
            return "Node"
        return next((path.name for path in self.needs if not path.exists()), "")


def mock(name: str, *options: str, logs: bool = False) -> Contender:
    """The mock with some options."""
    return Contender(name, lambda port, _: [*MOCK, "--port", str(port), *options], logs=logs, stores=True)


def _bare(port: int, _folder: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.servers.apps", str(port), "bare"]


def _prism(*options: str) -> Callable[[int, Path], list[str]]:
    return lambda port, _: [
        str(PRISM),
        "mock",
        str(resources.find_resource("spec/openapi.yaml")),
        "-p",
        str(port),
        *options,
    ]


def _script(script: str, version: str) -> Callable[[int, Path], list[str]]:
    def command(port: int, folder: Path) -> list[str]:
        document = resources.read_yaml(resources.find_resource("spec/openapi.yaml"))
        view = export.export_view(document if isinstance(document, dict) else {}, version=version)
        written = folder / f"openapi-{version}.json"
        written.write_text(json.dumps(view), encoding="utf-8")
        return ["node", str(PEERS / script), str(written), str(port)]

    return command


BARE = Contender("bare Flask", _bare, refuses=False)
MOCKS = (mock("mock", logs=True), mock("mock --quiet", "--quiet"))
OPENAPI_BACKEND = Contender(
    "openapi-backend", _script("openapi_backend.mjs", "3.0"), needs=(PACKAGES / "openapi-backend",)
)
PRISM_QUIET = Contender("Prism -v silent", _prism("-v", "silent"), base="", needs=(PRISM,))
CONTENDERS = (
    BARE,
    *MOCKS,
    OPENAPI_BACKEND,
    Contender("Prism", _prism(), base="", logs=True, needs=(PRISM,)),
    PRISM_QUIET,
    Contender("Scalar", _script("scalar.mjs", "3.1"), base="", needs=(PACKAGES / "@scalar/mock-server",)),
)


class Ready:
    """A contender that serves, with the service that is there for its updates."""

    def __init__(self, contender: Contender, server: Server) -> None:
        self.contender, self.server = contender, server
        self.notes: set[str] = set()
        self._service_id = _created(contender, server) if contender.stores else workloads.ANY_ID

    def measured(self, workload: Workload, seconds: float) -> dict[str, float]:
        """A workload for so long: microseconds of CPU, requests per second, milliseconds."""
        sent = workload.requests(self.contender.base, self._service_id)
        before = self.server.cpu()
        done = load(self.server.port, sent, seconds)
        used, count = self.server.cpu() - before, len(done.latencies)
        if self.contender.refuses or workload.right == 2:
            self._noted(workload, done.statuses)
        return {
            "cpu": used / count * 1e6,
            "rate": count / done.seconds,
            "p50": percentile(done.latencies, 0.5) * 1e3,
            "p99": percentile(done.latencies, 0.99) * 1e3,
            "client": done.cpu_seconds / count * 1e6,
        }

    def _noted(self, workload: Workload, statuses: Counter[int]) -> None:
        other = [status for status in sorted(statuses) if status // 100 != workload.right]
        if other:
            self.notes.add(f"{self.contender.name}: {workload.name} is answered {', '.join(map(str, other))}")


@contextmanager
def serving(contender: Contender) -> Iterator[Ready]:
    """A contender that is started, answers, and is stopped afterwards; BrokenError where it does not."""
    if contender.missing:
        raise BrokenError(f"{contender.missing} is not installed")
    with processes.folder() as made:
        port = processes.free_port()
        command = contender.command(port, made)
        first = next(WORKLOADS[0].requests(contender.base))
        with processes.served(command, port, first, logs=contender.logs) as server:
            yield Ready(contender, server)


@contextmanager
def together(contenders: Iterable[Contender], tell: Callable[[str], None]) -> Iterator[list[Ready]]:
    """All that can be started; of the others a word is told."""
    with ExitStack() as stack:
        ready = []
        for contender in contenders:
            try:
                ready.append(stack.enter_context(serving(contender)))
            except BrokenError as broken:
                tell(f"{contender.name} is left out: {broken}")
        yield ready


def _created(contender: Contender, server: Server) -> str:
    """The id of a service that is made for the updates."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    with contextlib.closing(connection):
        connection.connect()
        connection.sock.sendall(next(WORKLOADS[0].requests(contender.base)))
        answered = http.client.HTTPResponse(connection.sock)
        answered.begin()
        body = answered.read()
    try:
        return str(json.loads(body)["id"])
    except (ValueError, KeyError) as error:
        raise BrokenError(f"a create is answered {answered.status} {body[:80]!r}") from error
