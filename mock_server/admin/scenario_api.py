"""The JSON API of scenarios under `/_mock/`: the script, deploys and stops, and the clock."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from mock_server.contract.model import Operation
from mock_server.faults.script import MAX_STEPS, Script, parse_step
from mock_server.pipeline.mock import Mock
from mock_server.services import lifecycle
from mock_server.services.lifecycle import Clock
from mock_server.services.model import Service
from mock_server.services.readback import service_to_json
from mock_server.validation.schema_messages import format_value
from mock_server.web import responses
from mock_server.web.responses import Response

ReadBody = Callable[[], Any]
Route = tuple[str, tuple[str, ...], Callable[..., Response]]
#: Limit of a deploy, a stop and an advance of the clock: one year.
_MAX_SECONDS = 366 * 24 * 3600
FINAL_STATUSES = ("running", "failed")


class ScenarioApi:
    """The endpoints of one mock; `seconds` is the default duration of a deploy or a stop."""

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
            raise ValueError(
                f"deploy-seconds: got {seconds}, expected a number from 0 (no delay) to {_MAX_SECONDS}"
            )
        self._mock, self.script, self._clock, self._seconds = mock, script, clock, seconds
        self._workers = workers
        self.operations = tuple(operation.id for operation in operations)

    @property
    def caller_names(self) -> tuple[str, ...]:
        """Return the names by which a step can select a caller."""
        names = tuple(caller.name for caller in self._mock.stages.callers.callers.values())
        return (
            (*names, "any-jwt", "any-sk", "any-dk", "any-ak")
            if self._mock.stages.callers.any_token
            else names
        )

    @property
    def refusable_rules(self) -> tuple[str, ...]:
        """Return the ids of the rules whose refusal a step can inject."""
        return tuple(rule.id for rule in self._mock.contract.rules.values() if rule.kind == "constraint")

    def routes(self, read_body: ReadBody) -> tuple[Route, ...]:
        """Return the routes; `read_body` returns the JSON body of the current request."""
        return (
            ("script", ("GET",), self._show_script),
            ("script", ("POST",), lambda: self.add_steps(read_body())),
            ("script", ("DELETE",), self._clear_script),
            (
                "services/<service_id>/deploy",
                ("POST",),
                lambda service_id: self._deploy(service_id, read_body()),
            ),
            ("services/<service_id>/stop", ("POST",), lambda service_id: self._stop(service_id, read_body())),
            ("clock", ("GET",), self._show_clock),
            ("clock", ("POST",), lambda: self._advance_clock(read_body())),
        )

    def _clear_script(self) -> Response:
        return responses.json_response(200, {"removed": self.script.clear()})

    def _show_script(self) -> Response:
        steps = self.script.to_json()
        text = self._mock.redactor.redact(json.dumps({"count": len(steps), "steps": steps}))
        return Response(200, text.encode("utf-8"))

    def add_steps(self, body: Any) -> Response:
        """Add a step, or a list of steps; return the script, or a problem document that says what is wrong."""
        if self._workers > 1:
            return self._refuse_workers("a script")
        entries = body if isinstance(body, list) else [body]
        try:
            rules = self._mock.contract.rules
            steps = [parse_step(entry, self.operations, self.caller_names, rules) for entry in entries]
        except ValueError as error:
            return responses.problem_response(400, self._mock.redactor.redact(str(error)))
        if not self.script.add(steps):
            return responses.problem_response(
                400, f"the script: expected at most {MAX_STEPS} steps; DELETE removes them"
            )
        return self._show_script()

    def _deploy(self, service_id: str, body: Any) -> Response:
        final_status = body.get("ends", FINAL_STATUSES[0]) if isinstance(body, dict) else FINAL_STATUSES[0]
        if final_status not in FINAL_STATUSES:
            actual, expected = format_value(final_status), ", ".join(FINAL_STATUSES)
            return responses.problem_response(400, f"ends: got {actual}, expected one of {expected}")

        def change(service: Service, now: datetime, seconds: float) -> Service:
            return lifecycle.start_deploy(service, now, seconds, final_status)

        return self._change_service(service_id, body, ("seconds", "ends"), change)

    def _stop(self, service_id: str, body: Any) -> Response:
        return self._change_service(service_id, body, ("seconds",), lifecycle.start_stop)

    def _change_service(
        self, service_id: str, body: Any, names: tuple[str, ...], change: Callable[..., Service]
    ) -> Response:
        if not isinstance(body, dict) or not body.keys() <= {*names}:
            return responses.problem_response(
                400, f"the body: expected no body, or an object of {' and '.join(names)}"
            )
        seconds = body.get("seconds", self._seconds)
        if type(seconds) not in {int, float} or not 0 <= seconds <= _MAX_SECONDS:
            detail = f"seconds: got {format_value(seconds)}, expected a number from 0 to {_MAX_SECONDS}"
            return responses.problem_response(400, detail)
        now = self._clock()
        try:
            with self._mock.store.transaction() as transaction:
                service = lifecycle.with_current_status(transaction.get(service_id.lower()), self._clock)
                if service is None:
                    return responses.problem_response(404, "id: no service has this id")
                changed = change(service, now, seconds)
                transaction.replace(changed)
        except ValueError as error:
            return responses.problem_response(409, str(error))
        return responses.json_response(200, {**service_to_json(changed), "team": changed.team})

    def _refuse_workers(self, name: str) -> Response:
        """Refuse a request that would change only the worker that receives it."""
        detail = f"{name}: got a mock with {self._workers} workers, expected one; start it with --workers 1"
        return responses.problem_response(409, detail)

    def _show_clock(self) -> Response:
        ahead = self._clock.ahead.total_seconds()
        return responses.json_response(200, {"now": self._clock().isoformat(), "ahead": ahead})

    def _advance_clock(self, body: Any) -> Response:
        if self._workers > 1:
            return self._refuse_workers("a clock")
        seconds = body.get("advance", -1) if isinstance(body, dict) else -1
        is_valid = type(seconds) in {int, float} and 0 <= seconds <= _MAX_SECONDS
        if not is_valid or not self._clock.advance(seconds):
            return responses.problem_response(
                400, f'the body: expected {{"advance": seconds}}, from 0 to {_MAX_SECONDS}'
            )
        return self._show_clock()
