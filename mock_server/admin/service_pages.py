"""The pages of the stored services: the list, and one page per service."""

from urllib.parse import parse_qs, urlencode

import flask
from flask import request

from mock_server.admin import request_view, service_view
from mock_server.admin.renderer import PageRenderer, PageRoute, redirect, same_origin_only
from mock_server.pipeline.mock import Mock
from mock_server.services.model import STATUSES
from mock_server.validation.schema_messages import format_value
from mock_server.web import responses
from mock_server.web.journal import Journal
from mock_server.web.responses import Response
from mock_server.web.wsgi import RAW_REQUEST

SERVICES_PER_PAGE = 50
_MAX_SHOWN_REQUESTS = 50


class ServicePages:
    """The views of the services, and the actions of their forms."""

    def __init__(self, renderer: PageRenderer, journal: Journal, mock: Mock) -> None:
        self._renderer, self._journal, self._mock = renderer, journal, mock

    def routes(self) -> tuple[PageRoute, ...]:
        """Return the routes of these pages."""
        return (
            ("GET", "page/services", self.list_page),
            ("GET", "page/services/<service_id>", self.service_page),
            ("POST", "page/services/<service_id>", same_origin_only(self.set_status)),
            ("POST", "page/delete-services", same_origin_only(self.delete_services)),
        )

    def list_page(self) -> flask.Response:
        """Return the page of the newest services: all, those older than `before`, or those with a `text`."""
        text = request.args.get("text", "").strip()
        before = request.args.get("before") or None
        if text:
            services, count = service_view.search_services(self._mock, text.lower(), SERVICES_PER_PAGE)
        else:
            services, count = service_view.list_services(self._mock, SERVICES_PER_PAGE + 1, before)
        shown = services[:SERVICES_PER_PAGE]
        return self._renderer.render(
            "services.html",
            services=shown,
            count=count,
            statuses=STATUSES,
            text=request_view.escape_invisible(text),
            live=before is None and not text,
            older="?" + urlencode({"before": shown[-1]["id"]}, errors="replace")
            if services[len(shown) :]
            else None,
        )

    def service_page(self, service_id: str) -> flask.Response:
        """Return the page of one service: its id, its stored body, and the requests that concern it."""
        service = service_view.find_service(self._mock, service_id.lower())
        if service is None:
            return self._renderer.missing("service")
        entries = [
            entry
            for entry in reversed(self._journal.select())
            if request_view.concerned_service(entry) == service["id"]
        ]
        rows = [request_view.request_row(self._journal, entry) for entry in entries[:_MAX_SHOWN_REQUESTS]]
        return self._renderer.render(
            "service.html", service=service, statuses=STATUSES, requests=rows, count=len(entries), live=True
        )

    def delete_services(self) -> Response:
        """Delete all services."""
        with self._mock.store.transaction() as transaction:
            transaction.clear()
        return redirect("page/services")

    def set_status(self, service_id: str) -> Response:
        """Set the status of a service, and return to the page of the form."""
        form = parse_qs(request.environ[RAW_REQUEST].body.decode("utf-8", "replace"))
        status = form.get("status", [""])[0]
        if status not in STATUSES:
            actual, expected = format_value(status), ", ".join(STATUSES)
            return responses.problem_response(400, f"status: got {actual}, expected one of {expected}")
        if not service_view.set_status(self._mock, service_id, status):
            return responses.problem_response(404, "id: no service has this id")
        key = service_view.url_key(service_id.lower())
        return redirect(f"page/services/{key}" if "page" in form else f"page/services#service-{key}")
