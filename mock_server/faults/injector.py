"""Trouble on demand: what a script, a preference of the caller or chance does to a call."""

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

from mock_server.contract.loader import Operation
from mock_server.faults.fault import Effect
from mock_server.faults.prefer import preferred
from mock_server.faults.random_faults import Chance
from mock_server.faults.script import Script
from mock_server.pipeline.mock import Handled, Mock
from mock_server.validation import authentication
from mock_server.validation.body import Call
from mock_server.validation.callers import UUID
from mock_server.web.responses import Answer

#: In the WSGI environ: how many bytes of the body are sent before the connection is lost; -1 is no answer.
CUT = "mock_server.cut"
#: Long enough for a server to send what it has before the connection ends.
_FLUSHED = 0.05
#: Never sent. granian (hyper) closes a connection without a byte rather than frame one answer in two ways.
_NONE = Answer(0, b"", headers={"Content-Length": "0", "Transfer-Encoding": "chunked"})


class Trouble:
    """Stands before a mock; where nothing is asked for, a call goes straight through."""

    def __init__(
        self,
        mock: Mock,
        chance: Chance,
        script: Script,
        *,
        control: bool,
        sleep: Callable[[float], object],
    ) -> None:
        self._mock, self._chance, self._control, self._sleep = mock, chance, control, sleep
        self.script = script
        self._wished = frozenset(o.id for o in mock.contract.operations) if control else frozenset()

    def handle(self, operation: Operation, got: Call, environ: dict[str, Any]) -> Handled:
        """The answer to a call, and in the environ whether the connection outlives it."""
        if not (self.script.steps or "HTTP_PREFER" in environ or self._chance.on):
            return self._mock.handle(operation, got)
        latency, fault = self._chance.draw() if self._chance.on else (0.0, None)
        effect = self._asked(operation, got, environ.get("HTTP_PREFER")) or fault or Effect()
        handled = self._handled(operation, got, effect)
        self._sleep(latency + effect.delay)
        if effect.drop:
            environ[CUT] = -1
            return handled._replace(answer=_NONE)
        if effect.keep is not None:
            environ[CUT] = effect.kept(len(handled.answer.body))
        if effect.applied:
            headers = {**handled.answer.headers, "Preference-Applied": effect.applied}
            return handled._replace(answer=handled.answer._replace(headers=headers))
        return handled

    def _asked(self, operation: Operation, got: Call, prefer: str | None) -> Effect | None:
        effect = None
        if self.script.steps:
            effect = self.script.take(operation, self._name(got), lambda: self._slug(got))
        if effect is None and prefer is not None and operation.id in self._wished:
            effect = preferred(operation, prefer)
        return effect

    def _handled(self, operation: Operation, got: Call, effect: Effect) -> Handled:
        if effect.answer is not None or effect.drop == "before":
            return Handled(effect.answer or _NONE, self._name(got))
        return self._mock.handle(operation, got)

    def _name(self, got: Call) -> str:
        known = self._mock.directory.known(authentication.token_of(got.headers.get("Authorization")))
        return known.name if known else ""

    def _slug(self, got: Call) -> object:
        """The slug that a call is about: of its path, of the service of its path, or of its body."""
        if "serviceSlug" in got.values:
            return got.values["serviceSlug"]
        if "serviceId" in got.values:
            if not UUID.fullmatch(got.values["serviceId"]):
                return None
            with self._mock.store.transaction() as step:
                service = step.get(got.values["serviceId"].lower())
            return service.slug if service else None
        try:
            sent = json.loads(got.raw)
        except (ValueError, RecursionError):
            return None
        return sent.get("service_slug") if isinstance(sent, dict) else None


class Cut:
    """A body that ends too early, with an error that makes the server close the connection.

    The server of werkzeug is told through its socket.
    """

    def __init__(self, body: bytes, kept: int, environ: dict[str, Any]) -> None:
        self._body, self._kept, self._environ = body, kept, environ

    def __iter__(self) -> Iterator[bytes]:
        if self._kept >= 0:
            yield self._body[: self._kept]
            time.sleep(_FLUSHED)
        connection = self._environ.get("werkzeug.socket")
        if connection is not None:
            with contextlib.suppress(OSError):  # the client was quicker
                connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError("the connection is lost on demand")

    def close(self) -> None:
        """There is nothing to close."""
