"""The services and callers of a mock as the page shows them."""

import functools
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from mock_server.admin.request_view import escape_invisible
from mock_server.pipeline.mock import Mock
from mock_server.services.lifecycle import with_current_status, without_pending_transition
from mock_server.services.model import Service
from mock_server.validation import callers


def list_services(mock: Mock, limit: int, before: str | None = None) -> tuple[list[dict[str, Any]], int]:
    """Return the newest services, or those older than the service `before`, and the number of all services."""
    with mock.store.transaction() as transaction:
        services, count = transaction.newest(limit, before), transaction.count()
    labels = _team_labels(mock)
    return [
        _service_row(mock, with_current_status(service, mock.clock), labels) for service in services
    ], count


def search_services(mock: Mock, text: str, limit: int) -> tuple[list[dict[str, Any]], int]:
    """Return the newest services with a text in their slug or id, and the number of all that have it."""
    with mock.store.transaction() as transaction:
        services = transaction.newest(transaction.count())
    found = [one for one in services if text in str(one.slug).lower() or text in one.id.lower()]
    labels = _team_labels(mock)
    shown = (with_current_status(service, mock.clock) for service in found[:limit])
    return [_service_row(mock, service, labels) for service in shown], len(found)


def find_service(mock: Mock, service_id: str) -> dict[str, Any] | None:
    """Return the fields of the page of a service, or None if no service has the id."""
    with mock.store.transaction() as transaction:
        service = transaction.get(service_id)
    if service is None:
        return None
    service = with_current_status(service, mock.clock)
    body = json.dumps(dict(service.values), indent=2, ensure_ascii=False)
    return {
        **_service_row(mock, service, _team_labels(mock)),
        "body": escape_invisible(mock.redactor.redact(body)),
    }


def set_status(mock: Mock, service_id: str, status: str) -> bool:
    """Set the status of a service, and end its transition; return whether the service exists."""
    with mock.store.transaction() as transaction:
        service = transaction.get(service_id.lower())
        if service is not None:
            transaction.replace(replace(without_pending_transition(service), status=status))
        return service is not None


def list_callers(mock: Mock) -> list[dict[str, str]]:
    """Return the known callers; only the tokens of packaged callers are included, since they are public."""
    labels = _team_labels(mock)
    return [
        {
            "name": escape_invisible(caller.name),
            "kind": caller.kind,
            "teams": escape_invisible(", ".join(labels.get(team, team) for team in caller.teams)),
            "token": token if token in _packaged_tokens() else "",
        }
        for token, caller in mock.stages.callers.callers.items()
    ]


def list_teams(mock: Mock) -> dict[str, str]:
    """Return the ids of the known teams by their labels."""
    return {escape_invisible(label): team for label, team in mock.stages.callers.teams.items()}


def url_key(service_id: str) -> str:
    """Return the id as a part of a URL; the id of a seeded service may be any text."""
    return quote(service_id, safe="", errors="replace")


def _service_row(mock: Mock, service: Service, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": service.id,
        "key": url_key(service.id),
        "shown_id": _clean(mock, service.id),
        "slug": _clean(mock, str(service.slug)),
        "team": escape_invisible(labels.get(service.team, service.team)),
        "type": _clean(mock, str(service.values.get("service_type"))),
        "status": service.status,
        "created": _format_time(service.created_at),
        "updated": _format_time(service.updated_at),
    }


def _clean(mock: Mock, text: str) -> str:
    """Return a text without tokens and invisible characters."""
    return escape_invisible(mock.redactor.redact(text))


def _format_time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _team_labels(mock: Mock) -> dict[str, str]:
    return {team: label for label, team in mock.stages.callers.teams.items()}


@functools.cache
def _packaged_tokens() -> frozenset[str]:
    return frozenset(callers.load_callers().callers)
