"""The common parts of all pages: the templates, the headers, the static files, and forms of this origin only."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
from flask import render_template, request

from mock_server.admin.request_view import escape_invisible
from mock_server.contract.model import BASE_PATH, Contract
from mock_server.contract.resources import VERSION
from mock_server.web import responses
from mock_server.web.middleware import CONTROL_PREFIX, RequestOutcome
from mock_server.web.origin import is_same_origin
from mock_server.web.responses import Response
from mock_server.web.wsgi import OUTCOME

#: Method, path below the prefix, and view.
PageRoute = tuple[str, str, Callable[..., flask.Response]]
TEMPLATES = Path(__file__).resolve().parent / "templates"
_STATIC = Path(__file__).resolve().parent / "static"
_STATIC_TYPES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "reference.js": "text/javascript; charset=utf-8",
}
#: The referrer policy is not `no-referrer`, with which browsers send `Origin: null` with our own forms.
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PageRenderer:
    """Renders the templates; `title` names the server, and `mocked` says whether it has services of its own."""

    def __init__(self, contract: Contract, title: str, workers: int, mocked: bool) -> None:
        self._contract, self._title, self.workers, self._mocked = contract, title, workers, mocked

    def render(self, template: str, status: int = 200, **values: Any) -> flask.Response:
        """Return the page of a template."""
        text = render_template(
            template,
            **values,
            title=self._title,
            mocked=self._mocked,
            contract=self._contract,
            base=escape_invisible(request.host_url.rstrip("/")) + BASE_PATH,
            version=VERSION,
            workers=self.workers,
        )
        return flask.Response(text.encode("utf-8", "backslashreplace"), status, PAGE_HEADERS)

    def missing(self, name: str) -> flask.Response:
        """Return the page for a `request`, a `service` or a `page` that does not exist."""
        return self.render("missing.html", 404, missing=name)

    def static_file(self, name: str) -> flask.Response:
        """Return a static file with an ETag, so that browsers revalidate it."""
        content = read_static_file(name)
        if content is None:
            return self.missing("page")
        headers = {**PAGE_HEADERS, "Content-Type": _STATIC_TYPES[name], "Cache-Control": "no-cache"}
        response = flask.Response(content, headers=headers)
        response.add_etag()
        response.make_conditional(request)
        return response


def redirect(path: str = "") -> Response:
    """Return a redirect to a path below the prefix."""
    return Response(303, b"", headers={"Location": CONTROL_PREFIX + path})


def same_origin_only(endpoint: Callable[..., Response | flask.Response]) -> Callable[..., flask.Response]:
    """Return a view that accepts forms of this origin only."""

    def view(**values: str) -> flask.Response:
        if is_same_origin(request.headers, request.host):
            response = endpoint(**values)
        else:
            detail = f"expected a form of {CONTROL_PREFIX}; other clients use the control plane"
            response = responses.problem_response(403, detail)
        if isinstance(response, flask.Response):
            request.environ[OUTCOME] = RequestOutcome(Response(response.status_code, b""))
            return response
        request.environ[OUTCOME] = RequestOutcome(response)
        headers = {"Content-Type": response.media_type, **PAGE_HEADERS, **response.headers}
        return flask.Response(response.body, response.status, headers)

    return view


@functools.cache
def read_static_file(name: str) -> bytes | None:
    """Return a static file of the pages, or None for an unknown name."""
    return (_STATIC / name).read_bytes() if name in _STATIC_TYPES else None
