"""The part of `/_mock/…` that asks for something to happen: scripts, deploy and stop, the clock."""

import json
from collections.abc import Callable
from typing import Any

from mock_server.contract.model import Operation
from mock_server.faults.script import MAX_STEPS, Script, parse_step
from mock_server.pipeline.mock import Mock
from mock_server.services import lifecycle
from mock_server.services.lifecycle import Clock
from mock_server.services.model import Service
from mock_server.services.readback import service_to_json
from mock_server.web import responses
from mock_server.web.responses import Response

ReadBody = Callable[[], Any]
Route = tuple[str, tuple[str, ...], Callable[..., Response]]
#: A deploy takes no longer than a year of the clock.
_MAX_SECONDS = 366 * 24 * 3600
FINAL_STATUSES = ("running", "failed")


class ScenarioApi:
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
        if not 0 <= seconds <= _MAX_SECONDS:
            raise ValueError(f"deploy-seconds: got {seconds}, expected from 0 (at once) to {_MAX_SECONDS}")
        self._mock, self._script, self._clock, self._seconds = mock, script, clock, seconds
        self._workers = workers
        self._operations = tuple(operation.id for operation in operations)

    def routes(self, body: ReadBody) -> tuple[Route, ...]:
        """Path, methods and endpoint of each."""
        return (
            ("script", ("GET",), self._told),
            ("script", ("POST",), lambda: self._add(body())),
            ("script", ("DELETE",), lambda: responses.json_response(200, {"removed": self._script.clear()})),
            ("services/<service_id>/deploy", ("POST",), lambda service_id: self._deploy(service_id, body())),
            ("services/<service_id>/stop", ("POST",), lambda service_id: self._stop(service_id, body())),
            ("clock", ("GET",), self._time),
            ("clock", ("POST",), lambda: self._turn(body())),
        )

    def _told(self) -> Response:
        steps = self._script.to_json()
        text = self._mock.redactor.redact(json.dumps({"count": len(steps), "steps": steps}))
        return Response(200, text.encode("utf-8"))

    def _add(self, sent: Any) -> Response:
        if self._workers > 1:
            return self._apart("a script")
        given = sent if isinstance(sent, list) else [sent]
        callers = tuple(caller.name for caller in self._mock.callers.callers.values())
        if self._mock.callers.any_token:
            callers += ("any-jwt", "any-sk", "any-dk", "any-ak")
        try:
            steps = [parse_step(step, self._operations, callers) for step in given]
        except ValueError as error:
            return responses.problem_response(400, self._mock.redactor.redact(str(error)))
        if not self._script.add(steps):
            return responses.problem_response(
                400, f"the script: expected at most {MAX_STEPS} steps; DELETE forgets them"
            )
        return self._told()

    def _deploy(self, service_id: str, sent: Any) -> Response:
        ends = sent.get("ends", FINAL_STATUSES[0]) if isinstance(sent, dict) else FINAL_STATUSES[0]
        if ends not in FINAL_STATUSES:
            return responses.problem_response(400, f"ends: expected one of {', '.join(FINAL_STATUSES)}")
        names = ("seconds", "ends")
        return self._changed(
            service_id, sent, names, lambda s, now, t: lifecycle.start_deploy(s, now, t, ends)
        )

    def _stop(self, service_id: str, sent: Any) -> Response:
        return self._changed(service_id, sent, ("seconds",), lifecycle.start_stop)

    def _changed(
        self, service_id: str, sent: Any, names: tuple[str, ...], change: Callable[..., Service]
    ) -> Response:
        if not isinstance(sent, dict) or not sent.keys() <= {*names}:
            return responses.problem_response(
                400, f"the body: expected nothing, or an object of {' and '.join(names)}"
            )
        seconds = sent.get("seconds", self._seconds)
        if type(seconds) not in {int, float} or not 0 <= seconds <= _MAX_SECONDS:
            return responses.problem_response(
                400, f"seconds: expected a number from 0 (at once) to {_MAX_SECONDS}"
            )
        now = self._clock()
        try:
            with self._mock.store.transaction() as step:
                service = lifecycle.with_current_status(step.get(service_id.lower()), self._clock)
                if service is None:
                    return responses.problem_response(404, "id: no service has it")
                changed = change(service, now, seconds)
                step.replace(changed)
        except ValueError as error:
            return responses.problem_response(409, str(error))
        return responses.json_response(200, {**service_to_json(changed), "team": changed.team})

    def _apart(self, what: str) -> Response:
        wanted = "expected a mock with one worker; start it with --workers 1"
        return responses.problem_response(
            409, f"{what}: each of the {self._workers} workers would have its own, {wanted}"
        )

    def _time(self) -> Response:
        ahead = self._clock.ahead.total_seconds()
        return responses.json_response(200, {"now": self._clock().isoformat(), "ahead": ahead})

    def _turn(self, sent: Any) -> Response:
        if self._workers > 1:
            return self._apart("a clock")
        seconds = sent.get("advance", -1) if isinstance(sent, dict) else -1
        usable = type(seconds) in {int, float} and 0 <= seconds <= _MAX_SECONDS
        if not usable or not self._clock.advance(seconds):
            return responses.problem_response(
                400, f'the body: expected {{"advance": seconds}}, from 0 to {_MAX_SECONDS}'
            )
        return self._time()
