"""Twin: two apps behind one address, one of them changed, that look like one app with one store.

Every write that is accepted goes to both, so that either can respond to the next request. A service has an id in each
app; the client knows the one that it was shown first. Locked, since the two apps must see writes in the same order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from contract_tests.mutation.calls import App, Call, CallReader, Reply, send_call, serve_calls

Applies = Callable[[Call], bool]
BASE, CHANGED = "base", "changed"


@dataclass(slots=True)
class TwinService:
    """A service: its id in each app that has it, the id that the client knows, and the app that shows it."""

    ids: dict[str, str]
    known_as: str
    shown_by: str


class Twin:
    """Requests to which ``applies`` holds go to the changed app, all others to the base."""

    def __init__(self, base: App, changed: App, applies: Applies, reader: CallReader) -> None:
        """Take two apps with empty stores."""
        self._apps = {BASE: base, CHANGED: changed}
        self._applies, self._reader = applies, reader
        self._services: dict[str, TwinService] = {}
        self._lock = Lock()

    def build_app(self) -> App:
        """Return the WSGI app."""
        return serve_calls(self.handle_call)

    def handle_call(self, call: Call) -> Reply:
        """Send a request to the apps that it concerns, and return the response of one."""
        with self._lock:
            operation, parameter = self._reader.find_operation(call)
            first = CHANGED if operation and self._applies(call) else BASE
            if operation == "createContainer":
                return self._create(call, first)
            if operation == "updateContainer":
                return self._update(call, first, parameter)
            return self._read(call) if operation else self._set_status(call)

    def _create(self, call: Call, first: str) -> Reply:
        reply = send_call(self._apps[first], call)
        identifier = reply.read_object().get("id")
        if not reply.accepted or not isinstance(identifier, str):
            return reply
        second = _other(first)
        mirrored = send_call(self._apps[second], call)
        service = TwinService({first: identifier}, identifier, first)
        if mirrored.accepted:
            service.ids[second] = str(mirrored.read_object().get("id"))
        for name in service.ids.values():
            self._services[name.lower()] = service
        return reply

    def _update(self, call: Call, first: str, identifier: str) -> Reply:
        service = self._services.get(identifier.lower())
        if service is None:
            return send_call(self._apps[first], call)
        if first not in service.ids:
            first = _other(first)
        reply = self._send_for(first, call, service, identifier)
        if reply.accepted:
            service.shown_by = first
            if _other(first) in service.ids:
                self._send_for(_other(first), call, service, identifier)
        return reply

    def _read(self, call: Call) -> Reply:
        replies = {name: send_call(app, call) for name, app in self._apps.items()}
        for name in (BASE, CHANGED):
            identifier = replies[name].read_object().get("id")
            service = self._services.get(str(identifier).lower()) if replies[name].accepted else None
            if service is not None and service.shown_by == name:
                return replies[name].with_id(str(identifier), service.known_as)
        return replies[BASE]

    def _set_status(self, call: Call) -> Reply:
        """Send a request outside the contract, such as a control hook, for the service that its path names."""
        found = [(part, s) for part in call.path.split("/") if (s := self._services.get(part.lower()))]
        if not found:
            return send_call(self._apps[BASE], call)
        identifier, service = found[0]
        replies = [self._send_for(name, call, service, identifier) for name in service.ids]
        return replies[0]

    def _send_for(self, name: str, call: Call, service: TwinService, identifier: str) -> Reply:
        """Send a request about a service to one app, with the id that the service has there."""
        own = service.ids[name]
        reply = send_call(self._apps[name], call.with_path(call.path.replace(identifier, own)))
        return reply.with_id(own, identifier)


def _other(name: str) -> str:
    return CHANGED if name == BASE else BASE
