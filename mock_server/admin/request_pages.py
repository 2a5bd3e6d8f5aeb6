"""The pages of the requests received: the overview, and one page per request."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import flask
from flask import request

from mock_server.admin import request_view, service_view
from mock_server.admin.renderer import PageRenderer, PageRoute, redirect, same_origin_only
from mock_server.contract.model import Contract
from mock_server.pipeline.mock import Mock
from mock_server.services.model import StoreError
from mock_server.web.journal import FILTERS, Journal, JournalEntry
from mock_server.web.responses import Response

REQUESTS_PER_PAGE = 50
_LATEST_SERVICES = 8
_METHODS = ("POST", "PUT", "GET")


class RequestPages:
    """The views of the requests; with a `mock`, the overview also has its callers and its latest services."""

    def __init__(
        self, renderer: PageRenderer, journal: Journal, contracts: Sequence[Contract], mock: Mock | None
    ) -> None:
        self._renderer, self._journal, self._contracts, self._mock = renderer, journal, contracts, mock

    def routes(self) -> tuple[PageRoute, ...]:
        """Return the routes of these pages."""
        return (
            ("GET", "", self.overview),
            ("GET", "requests/<number>", self.request_page),
            ("POST", "page/delete-requests", same_origin_only(self.delete_requests)),
        )

    def overview(self) -> flask.Response:
        """Return the page of the latest requests that match the filters, and of the latest services."""
        filters = {name: request.args[name] for name in FILTERS if request.args.get(name)}
        before = _parse_number(request.args.get("before", ""))
        matches = self._journal.select(**filters)
        candidates = [entry for entry in matches if before is None or entry.number < before]
        shown = candidates[: -REQUESTS_PER_PAGE - 1 : -1]
        next_page = {**filters, "before": shown[-1].number} if len(candidates) > REQUESTS_PER_PAGE else {}
        return self._renderer.render(
            "overview.html",
            requests=[request_view.request_row(self._journal, entry) for entry in shown],
            count=len(matches),
            filters=filters,
            live=before is None and self._renderer.workers == 1,
            newest=None if before is None else f"?{urlencode(filters)}",
            older=f"?{urlencode(next_page)}" if next_page else None,
            rules=self._contracts[0].violation_ids,
            operations=[operation.id for contract in self._contracts for operation in contract.operations],
            methods=_METHODS,
            **self._mock_values(),
        )

    def _mock_values(self) -> dict[str, Any]:
        if self._mock is None:
            return {}
        services, count = service_view.list_services(self._mock, _LATEST_SERVICES)
        return {
            "services": services,
            "service_count": count,
            "callers": service_view.list_callers(self._mock),
            "any_token": self._mock.stages.callers.any_token,
            "teams": service_view.list_teams(self._mock),
        }

    def request_page(self, number: str) -> flask.Response:
        """Return the page of one request, its response, its violations, and the service that it concerns."""
        entry = self._journal.entry(_parse_number(number) or 0)
        if entry is None:
            return self._renderer.missing("request")
        older, newer = (self._journal.entry(entry.number + offset) for offset in (-1, 1))
        details = request_view.request_details(self._journal, entry, request.host_url)
        service = self._find_service(entry)
        return self._renderer.render(
            "request.html",
            entry=details,
            older=older,
            newer=newer,
            service=service,
            reads_token="Authorization" in entry.headers,
            is_public=self._shows_token_of(entry.caller),
        )

    def _shows_token_of(self, name: str) -> bool:
        """Return whether the overview shows the token of a caller."""
        callers = service_view.list_callers(self._mock) if self._mock else ()
        return any(caller["name"] == name and caller["token"] for caller in callers)

    def _find_service(self, entry: JournalEntry) -> dict[str, Any] | None:
        """Return the service that a request concerns; a request is shown even while the store fails."""
        service_id = request_view.concerned_service(entry)
        try:
            return service_view.find_service(self._mock, service_id) if self._mock and service_id else None
        except StoreError:
            return None

    def delete_requests(self) -> Response:
        """Delete all recorded requests."""
        self._journal.clear()
        return redirect()


def _parse_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
