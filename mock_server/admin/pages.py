"""`/_mock/`: the page to look at. The requests received, live; the services; the contract, with try-it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import flask
from flask import Flask, render_template, request

from mock_server.admin import request_view, service_view, swagger_ui
from mock_server.contract.model import BASE_PATH, Contract
from mock_server.contract.resources import VERSION
from mock_server.pipeline.mock import Mock
from mock_server.services.model import STATUSES
from mock_server.web import responses
from mock_server.web.journal import Journal
from mock_server.web.middleware import CONTROL_PREFIX, RequestOutcome
from mock_server.web.responses import Response
from mock_server.web.wsgi import OUTCOME, RAW_REQUEST

REQUESTS_PER_PAGE = 50
_FILTERS = ("rule", "status", "operation")
_TEMPLATES = Path(__file__).resolve().parent / "templates"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".png": "image/png"}
#: The referrer stays within the server; without any, browsers would send `Origin: null` with our own forms.
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
    """Adds the page to an app that stands behind `wire.Front`.

    The reference shows the documents of `contracts` as one, with `server` (such as `/api/v1`) as the place that
    its try-it calls. `title` says what answers, as in `proxy of https://host/api/v1`: it is shown as it stands, so
    no password in it. Without a `mock` there are no services and no callers to show. The journal is that of one
    of `workers` processes, and the page says so where there are several.
    """
    app.template_folder = str(_TEMPLATES)
    page = _Pages(journal, contracts, title, mock, workers)
    routes: tuple[tuple[str, str, Callable[..., flask.Response]], ...] = (
        ("GET", "", page.overview),
        ("GET", "requests/<number>", page.exchange),
        ("GET", "reference", page.reference),
        ("GET", "openapi.json", page.openapi),
        ("GET", "page/<name>", _static_file),
        ("POST", "page/forget-requests", _same_origin_only(page.forget_requests)),
        ("POST", "page/forget-services", _same_origin_only(page.forget_services)),
        ("POST", "page/services/<service_id>", _same_origin_only(page.set_status)),
    )
    for method, path, view in routes:
        app.add_url_rule(
            CONTROL_PREFIX + path, f"page/{path}", view, methods=[method], provide_automatic_options=False
        )


class _Pages:
    """What can be looked at, and what its forms do."""

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
        """The newest requests (or those before a number) that the filters pick, and the services."""
        chosen = {name: request.args[name] for name in _FILTERS if request.args.get(name)}
        before = _parse_number(request.args.get("before", ""))
        picked = self._journal.select(**chosen)
        older = [entry for entry in picked if before is None or entry.number < before]
        shown = older[: -REQUESTS_PER_PAGE - 1 : -1]
        rest = {**chosen, "before": shown[-1].number} if len(older) > REQUESTS_PER_PAGE else {}
        return self._rendered(
            "overview.html",
            requests=[request_view.request_row(self._journal, entry) for entry in shown],
            count=len(picked),
            chosen=chosen,
            live=before is None and self._workers == 1,
            newest=None if before is None else f"?{urlencode(chosen)}",
            older=f"?{urlencode(rest)}" if rest else None,
            rules=self._contracts[0].rules,
            operations=[operation.id for contract in self._contracts for operation in contract.operations],
            **self._stored(),
        )

    def _stored(self) -> dict[str, Any]:
        if self._mock is None:
            return {}
        services, number = service_view.list_services(self._mock)
        known = {
            "callers": service_view.list_callers(self._mock),
            "any_token": self._mock.callers.any_token,
        }
        return {"services": services, "service_count": number, "statuses": STATUSES, **known}

    def exchange(self, number: str) -> flask.Response:
        """One request, what was answered, and why."""
        entry = self._journal.entry(_parse_number(number) or 0)
        if entry is None:
            return self._rendered("missing.html", 404)
        near = {word: self._journal.entry(entry.number + by) for word, by in (("older", -1), ("newer", 1))}
        one = request_view.request_details(self._journal, entry, request.host_url)
        return self._rendered("exchange.html", one=one, near=near)

    def reference(self) -> flask.Response:
        """Swagger UI; it is handed a token only where that is a public one."""
        known = () if self._mock is None else service_view.list_callers(self._mock)
        token = next((caller["token"] for caller in known if caller["token"]), "")
        return self._rendered(
            "reference.html", token=token, scheme=swagger_ui.bearer_scheme(self._contracts[0])
        )

    def openapi(self) -> flask.Response:
        """The document that the reference shows."""
        text = swagger_ui.openapi_document(self._contracts, BASE_PATH)
        return flask.Response(text, headers=_HEADERS, mimetype=responses.JSON_TYPE)

    def forget_requests(self) -> Response:
        self._journal.clear()
        return _redirect()

    def forget_services(self) -> Response:
        if self._mock is not None:
            with self._mock.store.transaction() as step:
                step.clear()
        return _redirect("#services")

    def set_status(self, service_id: str) -> Response:
        if self._mock is None:
            return _unknown_service()
        sent = parse_qs(request.environ[RAW_REQUEST].body.decode("utf-8", "replace"))
        status = sent.get("status", [""])[0]
        if status not in STATUSES:
            return responses.problem_response(400, f"status: expected one of {', '.join(STATUSES)}")
        if not service_view.set_status(self._mock, service_id, status):
            return _unknown_service()
        return _redirect(f"#service-{service_view.url_key(service_id.lower())}")

    def _rendered(self, template: str, status: int = 200, **values: Any) -> flask.Response:
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
    return responses.problem_response(404, "id: no service has it")


def _redirect(place: str = "") -> Response:
    return Response(303, b"", headers={"Location": CONTROL_PREFIX + place})


def _same_origin_only(endpoint: Callable[..., Response]) -> Callable[..., flask.Response]:
    """The endpoint for the page's own forms: what a page of another origin posts is refused."""

    def view(**values: str) -> flask.Response:
        refused = responses.problem_response(
            403, f"expected a form of {CONTROL_PREFIX}; what is no browser asks the control plane"
        )
        given = endpoint(**values) if _is_same_origin() else refused
        request.environ[OUTCOME] = RequestOutcome(given)
        headers = {"Content-Type": given.media_type, **_HEADERS, **given.headers}
        return flask.Response(given.body, given.status, headers)

    return view


def _is_same_origin() -> bool:
    """By `Sec-Fetch-Site`, which browsers send to this machine and over TLS, else by `Origin`."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    return site == "same-origin" if site else origin in {f"http://{request.host}", f"https://{request.host}"}


def _parse_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _static_file(name: str) -> flask.Response:
    """A file of the page; a browser asks again whether it is still the same."""
    content = swagger_ui.read_file(name)
    if content is None:
        return flask.Response(b"", 404, _HEADERS, mimetype="text/plain")
    headers = {**_HEADERS, "Content-Type": _TYPES[Path(name).suffix], "Cache-Control": "no-cache"}
    response = flask.Response(content, headers=headers)
    response.add_etag()
    response.make_conditional(request)
    return response
