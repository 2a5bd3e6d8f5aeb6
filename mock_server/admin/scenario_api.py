"""The part of `/_mock/…` that asks for something to happen: scripts, deploy and stop, the clock."""

import json
from collections.abc import Callable
from typing import Any

from mock_server.contract.loader import Operation
from mock_server.faults.script import LENGTH, Script, parsed
from mock_server.pipeline.mock import Mock, shown
from mock_server.services import lifecycle
from mock_server.services.lifecycle import Clock
from mock_server.services.memory import Service
from mock_server.web import responses
from mock_server.web.responses import Answer

Body = Callable[[], Any]
Route = tuple[str, tuple[str, ...], Callable[..., Answer]]
#: A deploy takes no longer than a year of the clock.
_MOST = 366 * 24 * 3600
ENDS = ("running", "failed")


class Demand:
    """The endpoints of one mock."""

    def __init__(
        self,
        mock: Mock,
        script: Script,
        clock: Clock,
        seconds: float,
        operations: tuple[Operation, ...],
        workers: int,
    ) -> None:
        if not 0 <= seconds <= _MOST:
            raise ValueError(f"deploy-seconds: seen {seconds}, wanted from 0 (at once) to {_MOST}")
        self._mock, self._script, self._clock, self._seconds = mock, script, clock, seconds
        self._workers = workers
        self._operations = tuple(operation.id for operation in operations)

    def routes(self, body: Body) -> tuple[Route, ...]:
        """Path, methods and endpoint of each."""
        return (
            ("script", ("GET",), self._told),
            ("script", ("POST",), lambda: self._add(body())),
            ("script", ("DELETE",), lambda: responses.success(200, {"removed": self._script.clear()})),
            ("services/<service_id>/deploy", ("POST",), lambda service_id: self._deploy(service_id, body())),
            ("services/<service_id>/stop", ("POST",), lambda service_id: self._stop(service_id, body())),
            ("clock", ("GET",), self._time),
            ("clock", ("POST",), lambda: self._turn(body())),
        )

    def _told(self) -> Answer:
        steps = self._script.told()
        text = self._mock.tokens.hidden(json.dumps({"count": len(steps), "steps": steps}))
        return Answer(200, text.encode("utf-8"))

    def _add(self, sent: Any) -> Answer:
        if self._workers > 1:
            return self._apart("a script")
        given = sent if isinstance(sent, list) else [sent]
        callers = tuple(caller.name for caller in self._mock.directory.callers.values())
        if self._mock.directory.any_token:
            callers += ("any-jwt", "any-sk", "any-dk", "any-ak")
        try:
            steps = [parsed(step, self._operations, callers) for step in given]
        except ValueError as error:
            return responses.problem(400, self._mock.tokens.hidden(str(error)))
        if not self._script.add(steps):
            return responses.problem(400, f"the script: wanted at most {LENGTH} steps; DELETE forgets them")
        return self._told()

    def _deploy(self, service_id: str, sent: Any) -> Answer:
        ends = sent.get("ends", ENDS[0]) if isinstance(sent, dict) else ENDS[0]
        if ends not in ENDS:
            return responses.problem(400, f"ends: wanted one of {', '.join(ENDS)}")
        names = ("seconds", "ends")
        return self._changed(service_id, sent, names, lambda s, now, t: lifecycle.deployed(s, now, t, ends))

    def _stop(self, service_id: str, sent: Any) -> Answer:
        return self._changed(service_id, sent, ("seconds",), lifecycle.stopped)

    def _changed(
        self, service_id: str, sent: Any, names: tuple[str, ...], change: Callable[..., Service]
    ) -> Answer:
        if not isinstance(sent, dict) or not sent.keys() <= {*names}:
            return responses.problem(400, f"the body: wanted nothing, or an object of {' and '.join(names)}")
        seconds = sent.get("seconds", self._seconds)
        if type(seconds) not in {int, float} or not 0 <= seconds <= _MOST:
            return responses.problem(400, f"seconds: wanted a number from 0 (at once) to {_MOST}")
        now = self._clock()
        try:
            with self._mock.store.transaction() as step:
                service = lifecycle.settled(step.get(service_id.lower()), self._clock)
                if service is None:
                    return responses.problem(404, "id: no service has it")
                changed = change(service, now, seconds)
                step.replace(changed)
        except ValueError as error:
            return responses.problem(409, str(error))
        return responses.success(200, {**shown(changed), "team": changed.team})

    def _apart(self, what: str) -> Answer:
        wanted = "wanted a mock with one worker; start it with --workers 1"
        return responses.problem(
            409, f"{what}: each of the {self._workers} workers would have its own, {wanted}"
        )

    def _time(self) -> Answer:
        ahead = self._clock.ahead.total_seconds()
        return responses.success(200, {"now": self._clock().isoformat(), "ahead": ahead})

    def _turn(self, sent: Any) -> Answer:
        if self._workers > 1:
            return self._apart("a clock")
        seconds = sent.get("advance", -1) if isinstance(sent, dict) else -1
        usable = type(seconds) in {int, float} and 0 <= seconds <= _MOST
        if not usable or not self._clock.advance(seconds):
            return responses.problem(400, f'the body: wanted {{"advance": seconds}}, from 0 to {_MOST}')
        return self._time()
