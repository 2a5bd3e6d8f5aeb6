"""Limits of a run: services created, ids remembered, consecutive requests without a usable response."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock

from contract_tests.cases.model import Step
from contract_tests.execution.sending.context import CannotRun
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.results.verdict import REFUSE_ONLY_LEFT_OUT
from contract_tests.targets.base import BUSY_STATUSES, NoResponse, Response
from contract_tests.targets.clock import RunStopped

#: Ids that no later create may return: the most recent ones.
MAX_IDS = 20_000
_MAX_SILENT = 5
#: So often a target that leaves requests in a row without a response may show that it responds to a plain one.
_MAX_EXCUSED = 8
#: Of the services that a run may create, one in so many is kept for creates that must be refused, up to a number.
_KEPT_SHARE, _MAX_KEPT = 6, 4


class TargetGone(Exception):  # noqa: N818 - not an error of the suite
    """A target that can no longer be judged; the message follows its name, like ``stopped responding: …``."""


class CreateBudget:
    """Limits how many services exist because of a run; safe to use from several threads.

    Every create counts while it is on its way, also one that must be refused: a faulty target may accept it. A few
    services are kept for those, so that refusals can be tried to the end, several at once. A create without a
    response counts for good.
    """

    def __init__(
        self, created_log: CreatedLog, *, max_created: int | None = None, refuse_only: bool = False
    ) -> None:
        """Set the limit; with ``refuse_only`` no request may be sent that should be accepted."""
        self.refuse_only = refuse_only
        self._created_log, self._max_created = created_log, max_created
        allowed = max(0, (max_created or 0) - created_log.possible)
        self._kept = min(_MAX_KEPT, max(1, allowed // _KEPT_SHARE))
        self._pending = 0
        self._changed = Condition()

    @contextmanager
    def reserve(self, step: Step) -> Iterator[None]:
        """Reserve the service that a step may create; wait for others on their way. Raise CannotRun at the limit."""
        if step.operation != "createContainer":
            yield
            return
        if self.refuse_only and step.expect != "refuse":
            raise CannotRun(REFUSE_ONLY_LEFT_OUT)
        self._take(step)
        try:
            yield
        finally:
            with self._changed:
                self._pending -= 1
                self._changed.notify_all()

    def _take(self, step: Step) -> None:
        with self._changed:
            while self._max_created is not None:
                created = self._created_log.possible
                kept = 0 if step.expect == "refuse" else self._kept
                limit = max(self._max_created - kept, min(self._max_created, 1))
                if created + self._pending < limit:
                    break
                if created >= limit or not self._pending:
                    raise CannotRun("--max-created is reached")
                self._changed.wait()
            self._pending += 1


class BudgetSpent(RunStopped):
    """Every request of ``--budget`` is sent; what was seen until then is the result."""


class RequestBudget:
    """Limits how many requests a run sends; safe to use from several threads. ``left`` is None without a limit."""

    def __init__(self, limit: int | None = None) -> None:
        self.left = limit
        self._lock = Lock()

    @property
    def is_spent(self) -> bool:
        """True if no request is left."""
        return self.left == 0

    def take(self) -> None:
        """Count a request that is about to be sent; raise BudgetSpent if none is left."""
        with self._lock:
            if self.left == 0:
                raise BudgetSpent
            if self.left is not None:
                self.left -= 1


class SilenceWatch:
    """Counts consecutive requests without a usable response; safe to use from several threads."""

    def __init__(self) -> None:
        self._silent = self._excused = 0
        self._reason = ""
        self._lock = Lock()
        self._checking = Lock()

    def observe(self, response: Response | NoResponse) -> None:
        """Count a response."""
        with self._lock:
            busy = isinstance(response, NoResponse) or response.status in BUSY_STATUSES
            self._silent = self._silent + 1 if busy else 0

    def check(self, response: Response | NoResponse, is_alive: Callable[[], bool]) -> None:
        """Raise TargetGone after several unusable responses in a row, unless a control shows that it is alive.

        A target may be slow with some requests only. It is excused for that a few times, since each takes long.
        """
        if self._silent < _MAX_SILENT:
            return
        with self._checking:  # one control for all threads that wait
            if self._silent >= _MAX_SILENT and not self._reason:
                self._reason = self._explain_silence(response, is_alive)
        if self._reason:
            raise TargetGone(self._reason)

    def _explain_silence(self, response: Response | NoResponse, is_alive: Callable[[], bool]) -> str:
        if isinstance(response, Response):
            return f"stopped responding: it responds with {response.status} for too long"
        if not is_alive():
            return f"stopped responding: {response.reason}"
        self._silent, self._excused = 0, self._excused + 1
        if self._excused > _MAX_EXCUSED:
            plain = "though it responds to plain updates"
            return f"left too many requests without a response, {plain}: {response.reason}"
        return ""


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
