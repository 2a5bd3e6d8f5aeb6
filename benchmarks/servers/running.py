"""Contenders that are running: start them, measure a workload on them, stop them."""

import contextlib
import http.client
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.load.figures import find_percentile
from benchmarks.load.generator import generate_load
from benchmarks.load.workloads import ANY_ID, VALID_CREATE, Workload
from benchmarks.processes.errors import BenchmarkError
from benchmarks.processes.folders import temporary_folder
from benchmarks.processes.server import Server, find_free_port, start_server
from benchmarks.servers.contenders import Contender
from benchmarks.servers.progress import Progress

_TIMEOUT_SECONDS = 30


class RunningContender:
    """A contender, its server, and the service that its updates change.

    `notes` holds a line for each workload that was answered with another class of status than the expected one.
    """

    def __init__(self, contender: Contender, server: Server) -> None:
        self.contender, self.server = contender, server
        self.notes: set[str] = set()
        self._service_id = create_service(contender, server) if contender.stores else ANY_ID

    @property
    def name(self) -> str:
        """The name of the contender."""
        return self.contender.name

    def measure_workload(self, workload: Workload, seconds: float) -> dict[str, float]:
        """Run a workload, and return microseconds of CPU, requests per second and milliseconds."""
        requests = workload.iterate_requests(self.contender.base_path, self._service_id)
        before = self.server.read_cpu()
        result = generate_load(self.server.port, requests, seconds)
        used, count = self.server.read_cpu() - before, len(result.latencies)
        if self.contender.refuses or workload.expected_class == 2:
            self._note_statuses(workload, result.statuses)
        return {
            "cpu": used / count * 1e6,
            "rate": count / result.seconds,
            "p50": find_percentile(result.latencies, 0.5) * 1e3,
            "p99": find_percentile(result.latencies, 0.99) * 1e3,
            "client": result.cpu_seconds / count * 1e6,
        }

    def _note_statuses(self, workload: Workload, statuses: Counter[int]) -> None:
        unexpected = [status for status in sorted(statuses) if status // 100 != workload.expected_class]
        if unexpected:
            self.notes.add(f"{self.name}: {workload.name} is answered {', '.join(map(str, unexpected))}")


@contextmanager
def start_contender(contender: Contender) -> Iterator[RunningContender]:
    """Yield a contender that responds, and stop it afterwards; raise BenchmarkError if it does not start."""
    if contender.missing:
        raise BenchmarkError(f"{contender.missing} is not installed")
    with temporary_folder() as folder:
        port = find_free_port()
        command = contender.build_command(port, folder)
        first = next(VALID_CREATE.iterate_requests(contender.base_path))
        with start_server(command, port, first, logs=contender.logs) as server:
            yield RunningContender(contender, server)


@contextmanager
def start_all(contenders: Iterable[Contender], progress: Progress) -> Iterator[list[RunningContender]]:
    """Yield the contenders that start, and leave the others out."""
    with ExitStack() as stack:
        running = []
        for contender in contenders:
            try:
                running.append(stack.enter_context(start_contender(contender)))
            except BenchmarkError as error:
                progress.leave_out(contender.name, error)
        yield running


def create_service(contender: Contender, server: Server) -> str:
    """Create a service, and return its id."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT_SECONDS)
    with contextlib.closing(connection):
        connection.connect()
        connection.sock.sendall(next(VALID_CREATE.iterate_requests(contender.base_path)))
        response = http.client.HTTPResponse(connection.sock)
        response.begin()
        body = response.read()
    try:
        return str(json.loads(body)["id"])
    except (ValueError, KeyError) as error:
        raise BenchmarkError(f"a create is answered {response.status} {body[:80]!r}") from error


def list_notes(running: Iterable[RunningContender]) -> list[str]:
    """Return the notes of all contenders in alphabetical order."""
    return sorted(note for each in running for note in each.notes)


def measure_memory(running: Iterable[RunningContender]) -> dict[str, float]:
    """Return the resident megabytes of each contender by its name."""
    return {each.name: each.server.read_memory() for each in running}
