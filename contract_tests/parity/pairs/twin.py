"""Twin target: sends each request to the deployment and, with the ids translated, to the mock, and compares."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_tests.parity.pairs.compare import Comparison, compare_reads, compare_writes, find_reaction
from contract_tests.parity.pairs.reading import Reading, RequestReader
from contract_tests.parity.pairs.services import ALL, KnownService, Services
from contract_tests.results.judge import read_id
from contract_tests.targets.base import BUSY_STATUSES, NoResponse, Request, Response, Target
from contract_tests.targets.clock import RunClock, RunStopped
from contract_tests.targets.control_hook import StatusHook
from contract_tests.targets.exchange import encode_json

#: What the mock is given in place of a create that it refuses and the deployment accepts.
_PLAIN: Mapping[str, Mapping[str, Any]] = {
    "deployed": {"display_name": "Parity", "docker_image": "nginx:1.27"},
    "external": {"display_name": "Parity", "service_type": "external", "external_url": "https://parity.example.com"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """One request, what is known of it, and the two responses; ``ours`` is that of the mock."""

    request: Request
    reading: Reading
    theirs: Response
    ours: Response
    comparison: Comparison


@dataclass(slots=True)
class TwinTarget:
    """A target that answers as the deployment; ``pairs`` holds what was compared since it was emptied.

    One request is sent at a time, since both must see the writes in the same order. ``max_requests`` limits the
    requests to the deployment. ``uncompared`` counts those that the deployment did not answer, or not the first time.
    """

    target: Target
    mock: Target
    reader: RequestReader
    max_requests: int
    services: Services = field(default_factory=Services)
    pairs: list[Pair] = field(default_factory=list)
    compares_reads: bool = False
    requests: int = 0
    uncompared: int = 0
    concurrent: bool = False
    name: str = ""
    url: str = ""
    clock: RunClock = field(init=False)
    timeout: float = field(init=False)

    def __post_init__(self) -> None:
        """Take the address, the clock and the time limit of the deployment."""
        self.name, self.url, self.clock = self.target.name, self.target.url, self.target.clock
        self.timeout = self.target.timeout

    def send(self, request: Request) -> Response | NoResponse:
        """Send a request to both and return the response of the deployment; raise RunStopped at the limit."""
        if self.requests >= self.max_requests:
            raise RunStopped
        self.requests += 1
        reading = self.reader.read(request, self.services)
        theirs = self.target.send(request)
        if reading is None:
            return theirs
        if isinstance(theirs, NoResponse) or theirs.status in BUSY_STATUSES or theirs.resent:
            self.uncompared += 1
            self._forget(reading)
            return theirs
        ours = self.mock.send(self.services.translate(request))
        if not isinstance(ours, NoResponse):
            self._compare(request, reading, theirs, ours)
        return theirs

    def reconnect(self) -> None:
        """Use new connections to the deployment from here on."""
        self.target.reconnect()

    def open_host(self) -> Target:
        """Return a target for the paths of the deployment's host."""
        return self.target.open_host()

    def _forget(self, reading: Reading) -> None:
        """Note that the deployment may have stored something that the mock has not."""
        self.services.parted_slugs.add(reading.slug)
        if reading.service and reading.operation == "updateContainer":
            reading.service.parted |= {ALL}

    def _compare(self, request: Request, reading: Reading, theirs: Response, ours: Response) -> None:
        comparison = self._find_differences(reading, theirs, ours)
        if comparison is not None and comparison.dimensions:
            self.pairs.append(Pair(request, reading, theirs, ours, comparison))
        accepted = tuple(find_reaction(one) == "accepted" for one in (theirs, ours))
        if reading.operation == "createContainer" and any(accepted):
            self._record_create(request, reading, theirs, ours)
        elif reading.operation == "updateContainer" and any(accepted) and reading.service:
            reading.service.record_write("update", reading.properties, both=all(accepted))

    def _find_differences(self, reading: Reading, theirs: Response, ours: Response) -> Comparison | None:
        """Return the differences; None where the two do not have the same services, or a read shows nothing."""
        service = reading.service
        if reading.operation == "readContainer":
            return (
                compare_reads(theirs, ours, service)
                if service and service.ours and self.compares_reads
                else None
            )
        if (service and not service.ours) or (reading.slug and reading.slug in self.services.parted_slugs):
            return None
        return compare_writes(theirs, ours, service)

    def _record_create(self, request: Request, reading: Reading, theirs: Response, ours: Response) -> None:
        """Record a service that the deployment has created, and give the mock one, too."""
        identifier = read_id(theirs)
        if identifier is None:
            self.services.parted_slugs.add(reading.slug)
            return
        kind = "external" if reading.properties.get("service_type") == "external" else "deployed"
        service = KnownService(identifier, read_id(ours) or "", reading.slug, reading.team, kind)
        if service.ours:
            service.record_write("create", reading.properties, both=True)
        else:
            service.ours = self._create_plain(request, service)
            service.parted = {ALL}
        self.services.add(service)

    def _create_plain(self, request: Request, service: KnownService) -> str:
        """Return the id of a plain service in the mock with the slug and the team of a service, or nothing."""
        body = encode_json({"service_slug": service.slug, **_PLAIN[service.type]})
        headers = tuple((name, value) for name, value in request.headers if name.lower() != "content-type")
        plain = replace(request, headers=(*headers, ("Content-Type", "application/json")), body=body)
        return read_id(self.mock.send(plain)) or ""


@dataclass(frozen=True, slots=True)
class TwinHook:
    """Sets the status of a service in both."""

    theirs: StatusHook
    ours: StatusHook
    services: Services

    def set_status(self, service: str, status: str) -> str:
        """Set the status of a service; return the error of the deployment in words, or an empty string."""
        problem = self.theirs.set_status(service, status)
        known = self.services.find(service)
        if known is not None and known.ours and not problem:
            self.ours.set_status(known.ours, status)
            known.status = status
        return problem
