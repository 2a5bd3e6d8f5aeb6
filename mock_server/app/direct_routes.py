"""A short way past Flask for the operations of the contract, where nothing could notice.

Flask's request context costs more than all checks of the mock together. Flask still answers every other request, and
every request while the app has hooks or receivers of signals.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import Flask, signals

from mock_server.web.flask_responses import to_flask
from mock_server.web.responses import Response, reason_phrase, response_headers
from mock_server.web.wsgi import Environ, StartResponse, WsgiApp, decoded_path

#: Returns the response to a request, given its path parameters in order.
Answer = Callable[[Environ, tuple[str, ...]], Response]
#: Flask refuses some hosts, but none of these: up to 63 letters and digits, with single dots and hyphens between.
_PLAIN_HOST = re.compile(r"(?=[^:]{1,63}(?::|$))[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*(?::[1-9][0-9]{0,4})?")
#: With these keys, Flask matches other routes, or keeps the request context for a test client.
_SPECIAL_KEYS = frozenset({"HTTP_UPGRADE", "werkzeug.debug.preserve_context"})
#: Flask leaves out headers of these responses.
_BODILESS_STATUSES = frozenset({*range(100, 200), 204, 304})
_SIGNALS = (
    signals.request_started,
    signals.request_finished,
    signals.request_tearing_down,
    signals.appcontext_pushed,
    signals.appcontext_popped,
    signals.got_request_exception,
)


@dataclass(frozen=True, slots=True)
class DirectRoute:
    """An operation: its method, the pattern of its path, and the function that both ways share."""

    method: str
    path: re.Pattern[str]
    answer: Answer


class DirectRoutes:
    """WSGI middleware that answers the routes directly, and calls Flask for everything else."""

    def __init__(self, app: Flask, routes: Iterable[DirectRoute]) -> None:
        self._routes = sorted(routes, key=lambda route: route.path.groups)  # as Flask, fewer parameters first
        self._call_flask: WsgiApp = app.wsgi_app
        self._views, self._built_views = app.view_functions, dict(app.view_functions)
        self._observers = (
            *(app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs),
            *(app.url_value_preprocessors, app.teardown_appcontext_funcs),
            *(signal.receivers for signal in _SIGNALS),
        )

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if self._is_unobserved(environ):
            method, path = environ["REQUEST_METHOD"], decoded_path(environ)
            for route in self._routes:
                match = route.path.fullmatch(path) if route.method == method else None
                if match:
                    return _send(route.answer(environ, match.groups()), environ, start_response)
        return self._call_flask(environ, start_response)

    def _is_unobserved(self, environ: Environ) -> bool:
        """Return whether no hook, signal, added route or test client would notice a missing request context."""
        plain = _SPECIAL_KEYS.isdisjoint(environ) and _PLAIN_HOST.fullmatch(environ.get("HTTP_HOST", ""))
        return bool(plain) and not any(self._observers) and self._views == self._built_views


def _send(response: Response, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    if response.headers or response.status in _BODILESS_STATUSES:
        return to_flask(response)(environ, start_response)
    start_response(f"{response.status} {reason_phrase(response.status)}", response_headers(response))
    return [response.body]
