"""`/_mock/…`: what a client cannot cause. Reset, seed, set a status, ask what was called."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from flask import Flask, Response, request

from mock_server import __version__
from mock_server.admin.scenario_api import Demand
from mock_server.contract.loader import Contract
from mock_server.pipeline.mock import Mock, shown
from mock_server.services.lifecycle import pinned, settled
from mock_server.services.memory import STATUSES, IdTakenError, Service, SlugTakenError
from mock_server.validation import schema
from mock_server.web import responses
from mock_server.web.journal import Journal
from mock_server.web.middleware import CONTROL, RECEIVED
from mock_server.web.responses import Answer

Respond = Callable[[Answer], Response]


class _Received:
    """What was received, and that there is someone to ask."""

    def __init__(self, contract: Contract, journal: Journal) -> None:
        self._contract = contract
        self._journal = journal

    def health(self, **counts: int) -> Answer:
        contract = {"title": self._contract.title, "version": self._contract.version}
        told = {"status": "ok", "version": __version__, "contract": contract}
        return responses.success(200, {**told, **counts, "requests": len(self._journal)})

    def requests(self) -> Answer:
        """The journal: the requests that `rule`, `status` and `operation` pick, and their count."""
        filters = {name: request.args.get(name) for name in ("rule", "status", "operation")}
        for name in request.args:
            if name not in filters:
                return responses.problem(400, f"{name}: no such filter; there is {', '.join(filters)}")
        rule = filters["rule"]
        if rule is not None and rule not in self._contract.rules:
            return responses.problem(400, f"rule: seen {rule!r}, wanted the id of a rule of the contract")
        operation, status = filters["operation"], filters["status"]
        known = [*(each.id for each in self._contract.operations), "readContainer"]
        if operation is not None and operation not in known:
            return responses.problem(400, f"operation: seen {operation!r}, wanted one of {', '.join(known)}")
        if status is not None and not (status.isascii() and status.isdigit()):
            return responses.problem(400, f"status: seen {status!r}, wanted a number such as 409")
        picked = self._journal.select(**filters)
        return responses.success(
            200, {"count": len(picked), "requests": [self._journal.shown(entry) for entry in picked]}
        )

    def forget(self) -> Answer:
        removed = len(self._journal)
        self._journal.clear()
        return responses.success(200, {"removed": removed})


class _Control:
    """The endpoints of a mock."""

    def __init__(self, mock: Mock, received: _Received) -> None:
        self._mock = mock
        self._received = received

    def health(self) -> Answer:
        with self._mock.store.transaction() as step:
            services = step.count()
        return self._received.health(services=services)

    def services(self) -> Answer:
        with self._mock.store.transaction() as step:
            stored = step.all()
        team = self._mock.directory.teams.get(request.args.get("team", ""), request.args.get("team"))
        now = (settled(service, self._mock.clock) for service in stored)
        told = [_told(service) for service in now if team in {None, service.team}]
        return responses.success(200, {"count": len(told), "services": told})

    def reset(self) -> Answer:
        with self._mock.store.transaction() as step:
            removed = step.count()
            step.clear()
        return responses.success(200, {"removed": removed})

    def seed(self) -> Answer:
        """Stores a service: the body of a create, and `team` (label or id), `status` and `id` beside it."""
        create = next((o for o in self._mock.contract.operations if o.id == "createContainer"), None)
        if create is None or create.body is None:
            return responses.problem(501, "the contract has no createContainer")
        sent, refused = self._mock.reader.parsed(create, request.environ[RECEIVED].raw)
        if refused:
            return responses.refusal(refused)
        if not isinstance(sent, dict):
            return responses.problem(400, "the body: wanted one JSON object, the body of a create")
        teams = self._mock.directory.teams
        named = str(sent.pop("team", next(iter(teams), "")))
        status = sent.pop("status", "created")
        service_id = str(sent.pop("id", self._mock.new_id())).lower()
        refused = schema.check(self._mock.contract, create.body, sent, "body")
        if refused:
            return responses.refusal(refused)
        if status not in STATUSES:
            return _wrong_status(status)
        now = self._mock.clock()
        values = {**create.defaults, **sent}
        service = Service(
            service_id, teams.get(named, named), sent.get("service_slug"), status, now, now, values
        )
        return self._added(pinned(service))

    def _added(self, service: Service) -> Answer:
        try:
            with self._mock.store.transaction() as step:
                step.add(service)
        except IdTakenError:
            return responses.problem(409, f"id: {service.id} is there already")
        except SlugTakenError:
            return responses.problem(409, f"service_slug: the team already uses {schema.shown(service.slug)}")
        return responses.success(201, _told(service))

    def set_status(self, service_id: str, status: str | None = None) -> Answer:
        if status is None:
            sent = _body()
            status = sent.get("status") if isinstance(sent, dict) else None
        if status not in STATUSES:
            return _wrong_status(status)
        with self._mock.store.transaction() as step:
            service = step.get(service_id.lower())
            if service is None:
                return responses.problem(404, "id: no service has it")
            changed = replace(pinned(service), status=status)
            step.replace(changed)
        return responses.success(200, _told(changed))


Route = tuple[str, tuple[str, ...], Callable[..., Answer]]


def register(app: Flask, mock: Mock, journal: Journal, respond: Respond, demand: Demand) -> None:
    """Adds the control plane of a mock to an app."""
    received = _Received(mock.contract, journal)
    plane = _Control(mock, received)
    status = "services/<service_id>/status"
    routes: tuple[Route, ...] = (
        ("health", ("GET",), plane.health),
        ("services", ("GET",), plane.services),
        ("services", ("DELETE",), plane.reset),
        ("services", ("POST",), plane.seed),
        (status, ("PUT", "POST"), plane.set_status),
        (f"{status}/<status>", ("PUT", "POST"), plane.set_status),
        *demand.routes(_given),
    )
    _add(app, (*routes, *_journal_routes(received)), respond)


def register_journal(app: Flask, contract: Contract, journal: Journal, respond: Respond) -> None:
    """Adds to an app what there is without a mock: the journal, and whether it is well."""
    received = _Received(contract, journal)
    _add(app, (("health", ("GET",), received.health), *_journal_routes(received)), respond)


def _journal_routes(received: _Received) -> tuple[Route, ...]:
    return (("journal", ("GET",), received.requests), ("journal", ("DELETE",), received.forget))


def _add(app: Flask, routes: Iterable[Route], respond: Respond) -> None:
    for number, (path, methods, endpoint) in enumerate(routes):
        app.add_url_rule(
            CONTROL + path,
            f"control-{number}",
            _view(endpoint, respond),
            methods=list(methods),
            provide_automatic_options=False,
        )


def _view(endpoint: Callable[..., Answer], respond: Respond) -> Callable[..., Response]:
    return lambda **values: respond(endpoint(**values))


def _body() -> Any:
    try:
        return json.loads(request.environ[RECEIVED].raw)
    except (ValueError, RecursionError):
        return None


def _given() -> Any:
    """The body, where none is as good as an empty object."""
    return _body() if request.environ[RECEIVED].raw else {}


def _wrong_status(seen: object) -> Answer:
    return responses.problem(400, f"status: seen {schema.shown(seen)}, wanted one of {', '.join(STATUSES)}")


def _told(service: Service) -> dict[str, Any]:
    return {**shown(service), "team": service.team}
