"""Twin: two apps behind one address, one of them changed, that look like one app with one store.

Every write that is accepted goes to both, so that either can respond to the next request. A service has an id in each
app; the client knows the one that it was shown first. Locked, since the two apps must see writes in the same order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from contract_tests.mutation.wrappers.wsgi import (
    App,
    RequestReader,
    WsgiRequest,
    WsgiResponse,
    send_request,
    serve_requests,
)

Applies = Callable[[WsgiRequest], bool]
BASE, CHANGED = "base", "changed"


@dataclass(slots=True)
class TwinService:
    """A service: its id in each app that has it, the id that the client knows, and the app that shows it."""

    ids: dict[str, str]
    known_as: str
    shown_by: str


class Twin:
    """Requests to which ``applies`` holds go to the changed app, all others to the base."""

    def __init__(self, base: App, changed: App, applies: Applies, reader: RequestReader) -> None:
        """Take two apps with empty stores."""
        self._apps = {BASE: base, CHANGED: changed}
        self._applies, self._reader = applies, reader
        self._services: dict[str, TwinService] = {}
        self._lock = Lock()

    def build_app(self) -> App:
        """Return the WSGI app."""
        return serve_requests(self.handle_request)

    def handle_request(self, request: WsgiRequest) -> WsgiResponse:
        """Send a request to the apps that it concerns, and return the response of one."""
        with self._lock:
            operation, parameter = self._reader.find_operation(request)
            first = CHANGED if operation and self._applies(request) else BASE
            if operation == "createContainer":
                return self._create(request, first)
            if operation == "updateContainer":
                return self._update(request, first, parameter)
            return self._read(request) if operation else self._set_status(request)

    def _create(self, request: WsgiRequest, first: str) -> WsgiResponse:
        response = send_request(self._apps[first], request)
        identifier = response.read_object().get("id")
        if not response.accepted or not isinstance(identifier, str):
            return response
        second = _other(first)
        mirrored = send_request(self._apps[second], request)
        service = TwinService({first: identifier}, identifier, first)
        if mirrored.accepted:
            service.ids[second] = str(mirrored.read_object().get("id"))
        for name in service.ids.values():
            self._services[name.lower()] = service
        return response

    def _update(self, request: WsgiRequest, first: str, identifier: str) -> WsgiResponse:
        service = self._services.get(identifier.lower())
        if service is None:
            return send_request(self._apps[first], request)
        if first not in service.ids:
            first = _other(first)
        response = self._send_for(first, request, service, identifier)
        if response.accepted:
            service.shown_by = first
            if _other(first) in service.ids:
                self._send_for(_other(first), request, service, identifier)
        return response

    def _read(self, request: WsgiRequest) -> WsgiResponse:
        responses = {name: send_request(app, request) for name, app in self._apps.items()}
        for name in (BASE, CHANGED):
            identifier = responses[name].read_object().get("id")
            service = self._services.get(str(identifier).lower()) if responses[name].accepted else None
            if service is not None and service.shown_by == name:
                return responses[name].with_id(str(identifier), service.known_as)
        return responses[BASE]

    def _set_status(self, request: WsgiRequest) -> WsgiResponse:
        """Send a request outside the contract, such as a control hook, for the service that its path names."""
        found = [(part, s) for part in request.path.split("/") if (s := self._services.get(part.lower()))]
        if not found:
            return send_request(self._apps[BASE], request)
        identifier, service = found[0]
        responses = [self._send_for(name, request, service, identifier) for name in service.ids]
        return responses[0]

    def _send_for(
        self, name: str, request: WsgiRequest, service: TwinService, identifier: str
    ) -> WsgiResponse:
        """Send a request about a service to one app, with the id that the service has there."""
        own = service.ids[name]
        response = send_request(self._apps[name], request.with_path(request.path.replace(identifier, own)))
        return response.with_id(own, identifier)


def _other(name: str) -> str:
    return CHANGED if name == BASE else BASE
