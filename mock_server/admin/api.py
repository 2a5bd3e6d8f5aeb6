"""The JSON API under `/_mock/`: reset, seed and inspect the mock."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import flask
from flask import Flask, request

from mock_server.admin.scenario_api import ScenarioApi
from mock_server.contract.model import Contract, Operation
from mock_server.contract.property_names import UnknownProperty
from mock_server.contract.resources import VERSION
from mock_server.contract.suggestions import suggest_name, suggestion_suffix
from mock_server.pipeline.mock import Mock
from mock_server.services.lifecycle import with_current_status, without_pending_transition
from mock_server.services.model import STATUSES, IdTakenError, Service, SlugTakenError
from mock_server.services.readback import service_to_json
from mock_server.validation import schema
from mock_server.validation.callers import UUID_PATTERN
from mock_server.validation.ignored import MAX_REMARKS, format_place
from mock_server.validation.schema_messages import format_value
from mock_server.web import responses
from mock_server.web.flask_responses import send_response
from mock_server.web.journal import FILTERS, Journal
from mock_server.web.middleware import CONTROL_PREFIX
from mock_server.web.origin import is_from_another_site
from mock_server.web.responses import Response
from mock_server.web.wsgi import RAW_REQUEST

_ANOTHER_SITE = (
    "a page of another site sent this; the control plane takes it from programs and from its own page"
)
#: Properties of a seeded service beside those of a create.
_SEED_PROPERTIES = ("team", "status", "id")
#: Stand for a request without a token, and for one with a token that the mock does not know.
_NO_CALLERS = ("none", "unknown")
#: Begins the names of Flask's endpoints.
_ENDPOINT_PREFIX = "control-"
#: Path below the prefix, methods, and endpoint.
Route = tuple[str, tuple[str, ...], Callable[..., Response]]


class _JournalApi:
    """The endpoints that need no mock: health and journal. Without a list of callers any name is a filter."""

    def __init__(self, contract: Contract, journal: Journal, callers: Sequence[str] = ()) -> None:
        self._contract, self._journal = contract, journal
        self._callers = (*callers, *_NO_CALLERS) if callers else ()

    def health(self, **counts: int) -> Response:
        contract = {"title": self._contract.title, "version": self._contract.version}
        state = {"status": "ok", "version": VERSION, "contract": contract}
        return responses.json_response(200, {**state, **counts, "requests": len(self._journal)})

    def list_requests(self) -> Response:
        """Return the recorded requests that match the filters of the query, and their count."""
        filters = {name: request.args.get(name) for name in FILTERS}
        problem = self._check_filters(filters)
        if problem:
            return responses.problem_response(400, problem)
        entries = self._journal.select(**filters)
        shown = [self._journal.entry_to_json(entry) for entry in entries]
        return responses.json_response(200, {"count": len(entries), "requests": shown})

    def _check_filters(self, filters: dict[str, str | None]) -> str:
        """Return what is wrong with the query, or an empty text."""
        for name in request.args:
            if name not in filters:
                hint = suggestion_suffix(name, filters)
                return f"{name}: unknown filter; available: {', '.join(filters)}{hint}"
        rule, operation, status = filters["rule"], filters["operation"], filters["status"]
        known = self._contract.violation_ids
        if rule is not None and rule not in known:
            hint = suggestion_suffix(rule, known)
            return f"rule: got {rule!r}, expected the id of a rule, or of a choice of the profile{hint}"
        operations = [*(each.id for each in self._contract.operations), "readContainer"]
        if operation is not None and operation not in operations:
            return f"operation: got {operation!r}, expected one of {', '.join(operations)}"
        caller = filters["caller"]
        if caller is not None and self._callers and caller not in self._callers:
            return f"caller: got {caller!r}, expected one of {', '.join(self._callers)}"
        if status is not None and not (status.isascii() and status.isdigit()):
            return f"status: got {status!r}, expected a number such as 409"
        return ""

    def clear(self) -> Response:
        removed = len(self._journal)
        self._journal.clear()
        return responses.json_response(200, {"removed": removed})


class _ServicesApi:
    """The endpoints about stored services."""

    def __init__(self, mock: Mock, journal_api: _JournalApi) -> None:
        self._mock, self._journal_api = mock, journal_api

    def health(self) -> Response:
        with self._mock.store.transaction() as transaction:
            services = transaction.count()
        return self._journal_api.health(services=services)

    def list_services(self) -> Response:
        """Return the stored services, of the team of the query if there is one: a label or an id."""
        named, teams = request.args.get("team"), self._mock.stages.callers.teams
        team = teams.get(named, named) if named is not None else None
        unknown = next((name for name in request.args if name != "team"), None)
        if unknown is not None:
            return responses.problem_response(400, f"{unknown}: unknown filter; available: team")
        if team is not None and not UUID_PATTERN.fullmatch(team):
            return responses.problem_response(400, f"team: got {team!r}, expected one of {', '.join(teams)}")
        with self._mock.store.transaction() as transaction:
            stored = transaction.all()
        services = [
            _service_with_team(with_current_status(service, self._mock.clock))
            for service in stored
            if team in {None, service.team}
        ]
        return responses.json_response(200, {"count": len(services), "services": services})

    def delete_services(self) -> Response:
        with self._mock.store.transaction() as transaction:
            removed = transaction.count()
            transaction.clear()
        return responses.json_response(200, {"removed": removed})

    def seed(self) -> Response:
        """Store a service: the body of a create, and optionally `team` (label or id), `status` and `id`.

        An unknown property is refused, since a seeded service is not what its author wants without it.
        """
        create = next((o for o in self._mock.contract.operations if o.id == "createContainer"), None)
        if create is None or create.body is None:
            return responses.problem_response(501, "the contract has no createContainer")
        body, refused, _ = self._mock.stages.body_reader.parse(create, request.environ[RAW_REQUEST].body)
        if refused:
            return responses.refusal_response(refused)
        if not isinstance(body, dict):
            return responses.problem_response(400, "the body: expected one JSON object, the body of a create")
        problem = _name_unknown_properties(create, body)
        if problem:
            return responses.problem_response(400, self._mock.redactor.redact(problem))
        teams = self._mock.stages.callers.teams
        team = str(body.pop("team", next(iter(teams), "")))
        if team not in teams and not UUID_PATTERN.fullmatch(team):
            detail = f"team: got {team!r}, expected one of {', '.join(teams)}"
            return responses.problem_response(400, self._mock.redactor.redact(detail))
        status = body.pop("status", "created")
        service_id = str(body.pop("id", self._mock.new_id())).lower()
        refused = schema.check_value(self._mock.contract, create.body, body, "body")
        if refused:
            return responses.refusal_response(refused)
        if status not in STATUSES:
            return _invalid_status(status)
        if "/" in service_id or service_id in {"", ".", ".."}:
            detail = f"id: got {format_value(service_id)}, expected a text that can be a part of a path"
            return responses.problem_response(400, detail)
        now, slug = self._mock.clock(), body.get("service_slug")
        values = {**create.defaults, **body}
        service = Service(service_id, teams.get(team, team), slug, status, now, now, values)
        return self._add(without_pending_transition(service))

    def _add(self, service: Service) -> Response:
        try:
            with self._mock.store.transaction() as transaction:
                transaction.add(service)
        except IdTakenError:
            return responses.problem_response(409, f"id: a service has the id {service.id} already")
        except SlugTakenError:
            slug = format_value(service.slug)
            return responses.problem_response(409, f"service_slug: the team already uses {slug}")
        return responses.json_response(201, _service_with_team(service))

    def set_status(self, service_id: str, status: str | None = None) -> Response:
        if status is None:
            body = _json_body()
            status = body.get("status") if isinstance(body, dict) else None
        if status not in STATUSES:
            return _invalid_status(status)
        with self._mock.store.transaction() as transaction:
            service = transaction.get(service_id.lower())
            if service is None:
                return responses.problem_response(404, "id: no service has this id")
            changed = replace(without_pending_transition(service), status=status)
            transaction.replace(changed)
        return responses.json_response(200, _service_with_team(changed))


def register_api(app: Flask, mock: Mock, journal: Journal, scenarios: ScenarioApi) -> None:
    """Add the control plane of a mock to an app."""
    names = () if mock.stages.callers.any_token else [c.name for c in mock.stages.callers.callers.values()]
    journal_api = _JournalApi(mock.contract, journal, names)
    services_api = _ServicesApi(mock, journal_api)
    status = "services/<service_id>/status"
    routes: tuple[Route, ...] = (
        ("health", ("GET",), services_api.health),
        ("services", ("GET",), services_api.list_services),
        ("services", ("DELETE",), services_api.delete_services),
        ("services", ("POST",), services_api.seed),
        (status, ("PUT", "POST"), services_api.set_status),
        (f"{status}/<status>", ("PUT", "POST"), services_api.set_status),
        *scenarios.routes(_json_body_or_empty),
    )
    _add_routes(app, (*routes, *_journal_routes(journal_api)))


def register_journal(app: Flask, contract: Contract, journal: Journal) -> None:
    """Add the endpoints that need no mock to an app: health and journal."""
    journal_api = _JournalApi(contract, journal)
    _add_routes(app, (("health", ("GET",), journal_api.health), *_journal_routes(journal_api)))


def list_control_paths(app: Flask) -> list[str]:
    """Return the methods and paths of the control plane of an app, such as `GET /_mock/services`."""
    return [
        f"{method} {rule.rule.translate({ord('<'): '{', ord('>'): '}'})}"
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(_ENDPOINT_PREFIX)
        for method in sorted((rule.methods or set()) - {"HEAD"})
    ]


def _journal_routes(journal_api: _JournalApi) -> tuple[Route, ...]:
    return (
        ("journal", ("GET",), journal_api.list_requests),
        ("journal", ("DELETE",), journal_api.clear),
    )


def _add_routes(app: Flask, routes: Iterable[Route]) -> None:
    for number, (path, methods, endpoint) in enumerate(routes):
        app.add_url_rule(
            CONTROL_PREFIX + path,
            f"{_ENDPOINT_PREFIX}{number}",
            _make_view(endpoint),
            methods=list(methods),
            provide_automatic_options=False,
        )


def _make_view(endpoint: Callable[..., Response]) -> Callable[..., flask.Response]:
    def view(**values: str) -> flask.Response:
        if request.method != "GET" and is_from_another_site(request.headers, request.host):
            return send_response(responses.problem_response(403, _ANOTHER_SITE))
        try:
            return send_response(endpoint(**values))
        except _NotJsonError as error:
            return send_response(responses.problem_response(400, f"the body: not JSON: {error}"))

    return view


class _NotJsonError(Exception):
    """A body that is not JSON; the message says why, without any of its text."""


def _json_body() -> Any:
    """Return the JSON body of the current request, None without a body; raise _NotJsonError for any other."""
    body = request.environ[RAW_REQUEST].body
    try:
        return json.loads(body) if body else None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _NotJsonError(f"{error.msg.removesuffix(' at')} at {place}") from None
    except UnicodeDecodeError:
        raise _NotJsonError("not UTF-8") from None
    except RecursionError:
        raise _NotJsonError("nested too deeply") from None
    except ValueError:  # JSON, but Python reads no such number
        raise _NotJsonError("a number of thousands of digits") from None


def _json_body_or_empty() -> Any:
    """Return the JSON body of the current request; no body counts as an empty object."""
    body = _json_body()
    return {} if body is None and not request.environ[RAW_REQUEST].body else body


def _name_unknown_properties(create: Operation, body: dict[str, Any]) -> str:
    """Return what is wrong with the names of a service to seed, or an empty text."""
    unknown = [each for each in create.properties.iter_unknown(body) if each.place not in _SEED_PROPERTIES]
    return "; ".join(
        f"{format_place(each.place)}: unknown property, {_suggest_property(each)}"
        for each in unknown[:MAX_REMARKS]
    )


def _suggest_property(unknown: UnknownProperty) -> str:
    known = sorted(unknown.known) + [*_SEED_PROPERTIES] * (unknown.place == unknown.name)
    return suggest_name(unknown.name, known) or f"available: {', '.join(known)}"


def _invalid_status(status: object) -> Response:
    expected = ", ".join(STATUSES)
    return responses.problem_response(400, f"status: got {format_value(status)}, expected one of {expected}")


def _service_with_team(service: Service) -> dict[str, Any]:
    return {**service_to_json(service), "team": service.team}
