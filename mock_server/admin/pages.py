"""The HTML pages under `/_mock/`: the requests received, the stored services, and the API reference."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import flask
from flask import Flask, render_template, request

from mock_server.admin import request_view, service_view, swagger_ui
from mock_server.admin.origin import is_same_origin
from mock_server.contract.model import BASE_PATH, Contract
from mock_server.contract.resources import VERSION
from mock_server.pipeline.mock import Mock
from mock_server.services.model import STATUSES
from mock_server.validation.schema_messages import format_value
from mock_server.web import responses
from mock_server.web.journal import Journal
from mock_server.web.middleware import CONTROL_PREFIX, RequestOutcome
from mock_server.web.responses import Response
from mock_server.web.wsgi import OUTCOME, RAW_REQUEST

REQUESTS_PER_PAGE = 50
_FILTERS = ("rule", "status", "operation")
_TEMPLATES = Path(__file__).resolve().parent / "templates"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".png": "image/png"}
#: The referrer policy is not `no-referrer`, with which browsers send `Origin: null` with our own forms.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def register_pages(
    app: Flask,
    journal: Journal,
    contracts: Sequence[Contract],
    *,
    title: str = "mock",
    mock: Mock | None = None,
    workers: int = 1,
) -> None:
    """Add the pages to an app behind a RequestMiddleware.

    The reference merges the documents of all `contracts`. `title` names the server and must hold no password.
    Without a `mock`, services and callers are not shown. With several `workers`, the page says that the journal is
    that of one process.
    """
    app.template_folder = str(_TEMPLATES)
    page = _Pages(journal, contracts, title, mock, workers)
    routes: tuple[tuple[str, str, Callable[..., flask.Response]], ...] = (
        ("GET", "", page.overview),
        ("GET", "requests/<number>", page.request_page),
        ("GET", "reference", page.reference),
        ("GET", "openapi.json", page.openapi),
        ("GET", "page/<name>", _static_file),
        ("POST", "page/delete-requests", _same_origin_only(page.delete_requests)),
        ("POST", "page/delete-services", _same_origin_only(page.delete_services)),
        ("POST", "page/services/<service_id>", _same_origin_only(page.set_status)),
    )
    for method, path, view in routes:
        app.add_url_rule(
            CONTROL_PREFIX + path, f"page/{path}", view, methods=[method], provide_automatic_options=False
        )


class _Pages:
    """The views of the pages, and the actions of their forms."""

    def __init__(
        self,
        journal: Journal,
        contracts: Sequence[Contract],
        title: str,
        mock: Mock | None,
        workers: int,
    ) -> None:
        self._journal, self._contracts = journal, contracts
        self._title, self._mock, self._workers = title, mock, workers

    def overview(self) -> flask.Response:
        """Return the page of the latest requests that match the filters, and of the services."""
        filters = {name: request.args[name] for name in _FILTERS if request.args.get(name)}
        before = _parse_number(request.args.get("before", ""))
        matches = self._journal.select(**filters)
        candidates = [entry for entry in matches if before is None or entry.number < before]
        shown = candidates[: -REQUESTS_PER_PAGE - 1 : -1]
        next_page = {**filters, "before": shown[-1].number} if len(candidates) > REQUESTS_PER_PAGE else {}
        return self._render(
            "overview.html",
            requests=[request_view.request_row(self._journal, entry) for entry in shown],
            count=len(matches),
            filters=filters,
            live=before is None and self._workers == 1,
            newest=None if before is None else f"?{urlencode(filters)}",
            older=f"?{urlencode(next_page)}" if next_page else None,
            rules=self._contracts[0].rules,
            operations=[operation.id for contract in self._contracts for operation in contract.operations],
            **self._service_values(),
        )

    def _service_values(self) -> dict[str, Any]:
        if self._mock is None:
            return {}
        services, count = service_view.list_services(self._mock)
        return {
            "services": services,
            "service_count": count,
            "statuses": STATUSES,
            "callers": service_view.list_callers(self._mock),
            "any_token": self._mock.callers.any_token,
        }

    def request_page(self, number: str) -> flask.Response:
        """Return the page of one request, its response and its violations."""
        entry = self._journal.entry(_parse_number(number) or 0)
        if entry is None:
            return self._render("missing.html", 404)
        older, newer = (self._journal.entry(entry.number + offset) for offset in (-1, 1))
        details = request_view.request_details(self._journal, entry, request.host_url)
        return self._render("request.html", entry=details, older=older, newer=newer)

    def reference(self) -> flask.Response:
        """Return the API reference, signed in with the first packaged token, since that is public."""
        callers = () if self._mock is None else service_view.list_callers(self._mock)
        token = next((caller["token"] for caller in callers if caller["token"]), "")
        return self._render(
            "reference.html", token=token, scheme=swagger_ui.bearer_scheme(self._contracts[0])
        )

    def openapi(self) -> flask.Response:
        """Return the OpenAPI document of the reference."""
        text = swagger_ui.openapi_document(self._contracts, BASE_PATH)
        return flask.Response(text, headers=_HEADERS, mimetype=responses.JSON_TYPE)

    def delete_requests(self) -> Response:
        self._journal.clear()
        return _redirect()

    def delete_services(self) -> Response:
        if self._mock is not None:
            with self._mock.store.transaction() as transaction:
                transaction.clear()
        return _redirect("#services")

    def set_status(self, service_id: str) -> Response:
        if self._mock is None:
            return _unknown_service()
        form = parse_qs(request.environ[RAW_REQUEST].body.decode("utf-8", "replace"))
        status = form.get("status", [""])[0]
        if status not in STATUSES:
            actual, expected = format_value(status), ", ".join(STATUSES)
            return responses.problem_response(400, f"status: got {actual}, expected one of {expected}")
        if not service_view.set_status(self._mock, service_id, status):
            return _unknown_service()
        return _redirect(f"#service-{service_view.url_key(service_id.lower())}")

    def _render(self, template: str, status: int = 200, **values: Any) -> flask.Response:
        text = render_template(
            template,
            **values,
            title=self._title,
            mocked=self._mock is not None,
            contract=self._contracts[0],
            base=request_view.escape_invisible(request.host_url.rstrip("/")) + BASE_PATH,
            version=VERSION,
            workers=self._workers,
        )
        return flask.Response(text.encode("utf-8", "backslashreplace"), status, _HEADERS)


def _unknown_service() -> Response:
    return responses.problem_response(404, "id: no service has this id")


def _redirect(fragment: str = "") -> Response:
    return Response(303, b"", headers={"Location": CONTROL_PREFIX + fragment})


def _same_origin_only(endpoint: Callable[..., Response]) -> Callable[..., flask.Response]:
    """Return a view that accepts forms of this origin only."""

    def view(**values: str) -> flask.Response:
        if is_same_origin(request.headers, request.host):
            response = endpoint(**values)
        else:
            detail = f"expected a form of {CONTROL_PREFIX}; other clients use the control plane"
            response = responses.problem_response(403, detail)
        request.environ[OUTCOME] = RequestOutcome(response)
        headers = {"Content-Type": response.media_type, **_HEADERS, **response.headers}
        return flask.Response(response.body, response.status, headers)

    return view


def _parse_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _static_file(name: str) -> flask.Response:
    """Return a static file with an ETag, so that browsers revalidate it."""
    content = swagger_ui.read_file(name)
    if content is None:
        return flask.Response(b"", 404, _HEADERS, mimetype="text/plain")
    headers = {**_HEADERS, "Content-Type": _TYPES[Path(name).suffix], "Cache-Control": "no-cache"}
    response = flask.Response(content, headers=headers)
    response.add_etag()
    response.make_conditional(request)
    return response
