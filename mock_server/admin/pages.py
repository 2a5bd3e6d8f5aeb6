"""`/_mock/`: the page to look at. The requests received, live; the services; the contract, with try-it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from flask import Flask, Response, render_template, request

from mock_server import __version__
from mock_server.admin import request_view, service_view, swagger_ui
from mock_server.contract.loader import Contract
from mock_server.pipeline.mock import Mock
from mock_server.services.memory import STATUSES
from mock_server.web import responses
from mock_server.web.journal import Journal
from mock_server.web.middleware import CONTROL, OUTCOME, RECEIVED, Outcome
from mock_server.web.responses import Answer

SHOWN = 50
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


def register(
    app: Flask,
    journal: Journal,
    contracts: Sequence[Contract],
    *,
    server: str,
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
    page = _Page(journal, contracts, server, title, mock, workers)
    routes: tuple[tuple[str, str, Callable[..., Response]], ...] = (
        ("GET", "", page.overview),
        ("GET", "requests/<number>", page.exchange),
        ("GET", "reference", page.reference),
        ("GET", "openapi.json", page.openapi),
        ("GET", "page/<name>", _file),
        ("POST", "page/forget-requests", _own(page.forget_requests)),
        ("POST", "page/forget-services", _own(page.forget_services)),
        ("POST", "page/services/<service_id>", _own(page.set_status)),
    )
    for method, path, view in routes:
        app.add_url_rule(
            CONTROL + path, f"page/{path}", view, methods=[method], provide_automatic_options=False
        )


class _Page:
    """What can be looked at, and what its forms do."""

    def __init__(
        self,
        journal: Journal,
        contracts: Sequence[Contract],
        server: str,
        title: str,
        mock: Mock | None,
        workers: int,
    ) -> None:
        self._journal, self._contracts, self._server = journal, contracts, server
        self._title, self._mock, self._workers = title, mock, workers

    def overview(self) -> Response:
        """The newest requests (or those before a number) that the filters pick, and the services."""
        chosen = {name: request.args[name] for name in _FILTERS if request.args.get(name)}
        before = _number(request.args.get("before", ""))
        picked = self._journal.select(**chosen)
        older = [entry for entry in picked if before is None or entry.number < before]
        shown = older[: -SHOWN - 1 : -1]
        rest = {**chosen, "before": shown[-1].number} if len(older) > SHOWN else {}
        return self._rendered(
            "overview.html",
            requests=[request_view.row(self._journal, entry) for entry in shown],
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
            "any_token": self._mock.directory.any_token,
        }
        return {"services": services, "service_count": number, "statuses": STATUSES, **known}

    def exchange(self, number: str) -> Response:
        """One request, what was answered, and why."""
        entry = self._journal.entry(_number(number) or 0)
        if entry is None:
            return self._rendered("missing.html", 404)
        near = {word: self._journal.entry(entry.number + by) for word, by in (("older", -1), ("newer", 1))}
        one = request_view.whole(self._journal, entry, request.host_url)
        return self._rendered("exchange.html", one=one, near=near)

    def reference(self) -> Response:
        """Swagger UI; it is handed a token only where that is a public one."""
        known = () if self._mock is None else service_view.list_callers(self._mock)
        token = next((caller["token"] for caller in known if caller["token"]), "")
        return self._rendered("reference.html", token=token, scheme=swagger_ui.bearer(self._contracts[0]))

    def openapi(self) -> Response:
        """The document that the reference shows."""
        text = swagger_ui.openapi(self._contracts, self._server)
        return Response(text, headers=_HEADERS, mimetype=responses.JSON)

    def forget_requests(self) -> Answer:
        self._journal.clear()
        return _back()

    def forget_services(self) -> Answer:
        if self._mock is not None:
            with self._mock.store.transaction() as step:
                step.clear()
        return _back("#services")

    def set_status(self, service_id: str) -> Answer:
        if self._mock is None:
            return _no_service()
        sent = parse_qs(request.environ[RECEIVED].raw.decode("utf-8", "replace"))
        status = sent.get("status", [""])[0]
        if status not in STATUSES:
            return responses.problem(400, f"status: wanted one of {', '.join(STATUSES)}")
        if not service_view.put(self._mock, service_id, status):
            return _no_service()
        return _back(f"#service-{service_view.key(service_id.lower())}")

    def _rendered(self, template: str, status: int = 200, **values: Any) -> Response:
        text = render_template(
            template,
            **values,
            title=self._title,
            mocked=self._mock is not None,
            contract=self._contracts[0],
            base=request_view.visible(request.host_url.rstrip("/")) + self._server,
            version=__version__,
            workers=self._workers,
        )
        return Response(text.encode("utf-8", "backslashreplace"), status, _HEADERS)


def _no_service() -> Answer:
    return responses.problem(404, "id: no service has it")


def _back(place: str = "") -> Answer:
    return Answer(303, b"", headers={"Location": CONTROL + place})


def _own(endpoint: Callable[..., Answer]) -> Callable[..., Response]:
    """The endpoint for the page's own forms: what a page of another origin posts is refused."""

    def view(**values: str) -> Response:
        refused = responses.problem(
            403, f"wanted a form of {CONTROL}; what is no browser asks the control plane"
        )
        given = endpoint(**values) if _same_origin() else refused
        request.environ[OUTCOME] = Outcome(given)
        headers = {"Content-Type": given.media_type, **_HEADERS, **given.headers}
        return Response(given.body, given.status, headers)

    return view


def _same_origin() -> bool:
    """By `Sec-Fetch-Site`, which browsers send to this machine and over TLS, else by `Origin`."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    return site == "same-origin" if site else origin in {f"http://{request.host}", f"https://{request.host}"}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _file(name: str) -> Response:
    """A file of the page; a browser asks again whether it is still the same."""
    content = swagger_ui.file(name)
    if content is None:
        return Response(b"", 404, _HEADERS, mimetype="text/plain")
    headers = {**_HEADERS, "Content-Type": _TYPES[Path(name).suffix], "Cache-Control": "no-cache"}
    response = Response(content, headers=headers)
    response.add_etag()
    response.make_conditional(request)
    return response
