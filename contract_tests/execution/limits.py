"""Limits of a run: services created, ids remembered, consecutive requests without a usable response."""

from threading import Lock

from contract_tests.cases.model import Step
from contract_tests.execution.context import CannotRun
from contract_tests.execution.created_log import CreatedLog
from contract_tests.targets.base import NoResponse, Response

#: Ids that no later create may return: the most recent ones.
MAX_IDS = 20_000
_MAX_SILENT = 5


class TargetGone(Exception):  # noqa: N818 - not an error of the suite
    """A target that no longer responds; the message says how."""


class CreateBudget:
    """Limits how many services a run creates; safe to use from several threads."""

    def __init__(
        self, created_log: CreatedLog, *, max_created: int | None = None, refuse_only: bool = False
    ) -> None:
        """Set the limit; with ``refuse_only`` no request may be sent that could be accepted."""
        self.refuse_only = refuse_only
        self._created_log, self._max_created = created_log, max_created
        self._pending = 0
        self._lock = Lock()

    def reserve(self, step: Step) -> bool:
        """Reserve a create that may be accepted; return whether it counts. Raise CannotRun at the limit."""
        if step.operation != "createContainer" or step.expect == "refuse":
            return False
        if self.refuse_only:
            raise CannotRun("--refuse-only sends nothing that may be accepted")
        with self._lock:
            if self._max_created is not None and self._created_log.count + self._pending >= self._max_created:
                raise CannotRun("--max-created is reached")
            self._pending += 1
        return True

    def release(self, *, reserved: bool) -> None:
        """End a reservation, after a successful create has been logged."""
        with self._lock:
            self._pending -= reserved


class SilenceWatch:
    """Counts consecutive requests without a usable response; the caller holds a lock."""

    def __init__(self) -> None:
        self._silent = 0

    def observe(self, response: Response | NoResponse) -> None:
        """Count a response; raise TargetGone after several unusable ones in a row."""
        busy = isinstance(response, NoResponse) or response.status in (429, 503)
        self._silent = self._silent + 1 if busy else 0
        if self._silent >= _MAX_SILENT:
            if isinstance(response, NoResponse):
                raise TargetGone(response.reason)
            raise TargetGone(f"it responds with {response.status} for too long")


class SeenIds:
    """Remembers the ids that creates returned; safe to use from several threads."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}
        self._lock = Lock()

    def add(self, identifier: str | None) -> bool:
        """Remember an id; return whether an earlier create returned it too."""
        if identifier is None:
            return False
        with self._lock:
            known = identifier.lower() in self._ids
            self._ids[identifier.lower()] = None
            if len(self._ids) > MAX_IDS:
                del self._ids[next(iter(self._ids))]
        return known
