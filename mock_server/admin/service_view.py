"""The services and the callers of a mock, as the page shows them."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from mock_server.admin.request_view import visible
from mock_server.pipeline.mock import Mock
from mock_server.services.lifecycle import pinned, settled
from mock_server.services.memory import Service
from mock_server.validation import callers

SHOWN = 100


def list_services(mock: Mock) -> tuple[list[dict[str, Any]], int]:
    """The newest services, each in one line, and the number of all."""
    with mock.store.transaction() as step:
        stored, number = step.newest(SHOWN), step.count()
    labels = _labels(mock)
    return [_line(settled(service, mock.clock), labels) for service in stored], number


def put(mock: Mock, service_id: str, status: str) -> bool:
    """Puts a service into a status, in which it stays; false where there is none of that id."""
    with mock.store.transaction() as step:
        service = step.get(service_id.lower())
        if service is not None:
            step.replace(replace(pinned(service), status=status))
        return service is not None


def list_callers(mock: Mock) -> list[dict[str, str]]:
    """The callers that are known; the packaged ones with their tokens, which open nothing but a mock."""
    labels = _labels(mock)
    return [
        {
            "name": visible(caller.name),
            "kind": caller.kind,
            "teams": visible(" ".join(labels.get(team, team) for team in caller.teams)),
            "token": token if token in _packaged() else "",
        }
        for token, caller in mock.directory.callers.items()
    ]


def key(service_id: str) -> str:
    """The id as a part of a URL; a seeded one may be any text."""
    return quote(service_id, safe="", errors="replace")


def _line(service: Service, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "key": key(service.id),
        "slug": visible(str(service.slug)),
        "team": visible(labels.get(service.team, service.team)),
        "type": visible(str(service.values.get("service_type"))),
        "status": service.status,
    }


def _labels(mock: Mock) -> dict[str, str]:
    return {team: label for label, team in mock.directory.teams.items()}


@functools.cache
def _packaged() -> frozenset[str]:
    return frozenset(callers.load().callers)
