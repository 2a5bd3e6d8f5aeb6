"""Flask that spares a request what nobody looks at: most of what a request costs is Flask's own."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Request, signals
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

Environ = dict[str, Any]
#: A WSGI app that is also given what the groups of a path's pattern matched.
Answers = Callable[[Environ, Callable[..., Any], tuple[str, ...]], Iterable[bytes]]

#: As many hosts are known at a time; a client may name any.
MOST = 100
#: Whoever receives one of these sees that Flask handles a request.
_SIGNALS = (
    *(signals.request_started, signals.request_finished, signals.request_tearing_down),
    *(signals.appcontext_pushed, signals.appcontext_popped, signals.got_request_exception),
)
#: Flask has something to say to who asks so.
_SPECIAL = frozenset({"HTTP_UPGRADE", "werkzeug.debug.preserve_context"})


class _Rule(Rule):
    """A route; what builds its URL is made when it is first asked for, which takes longer than all the rest."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        def build(rule: Rule, *args: Any, **kwargs: Any) -> tuple[str, str]:
            made = super(_Rule, self)._compile_builder(append_unknown)
            return made(rule, *args, **kwargs)

        return build


class LeanFlask(Flask):
    """Flask that spares a request what nobody looks at.

    What `direct` names for a view answers in its place where no hook, no signal and no test client would see a
    request context. All other requests are handled by Flask.
    """

    url_rule_class = _Rule

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._direct: dict[str, list[tuple[re.Pattern[str], str, Any, Answers]]] = {}
        super().__init__(*args, **kwargs)
        self._hosts: set[str] = set()
        self._watchers = (
            *(self.before_request_funcs, self.after_request_funcs, self.teardown_request_funcs),
            *(self.teardown_appcontext_funcs, self.url_value_preprocessors),
            *(signal.receivers for signal in _SIGNALS),
        )

    def direct(self, method: str, path: re.Pattern[str], endpoint: str, answers: Answers) -> None:
        """Lets something else than the endpoint's view answer, for as long as this is its view.

        Who adds a route afterwards may mean the same path, so that Flask finds the way again.
        """
        routes = self._direct.setdefault(method, [])
        routes.append((path, endpoint, self.view_functions[endpoint], answers))
        routes.sort(key=lambda route: route[0].groups)  # a path without values goes first, as in Flask

    def add_url_rule(self, *args: Any, **kwargs: Any) -> None:
        """Adds a route."""
        super().add_url_rule(*args, **kwargs)
        self._direct.clear()

    def wsgi_app(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers a request of the contract directly, and lets Flask handle all others."""
        if environ.keys().isdisjoint(_SPECIAL) and not any(self._watchers):
            asked = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace")
            for path, endpoint, view, answers in self._direct.get(environ["REQUEST_METHOD"], ()):
                match = path.fullmatch(asked)
                if match and self.view_functions.get(endpoint) is view and self._hosted(environ):
                    return answers(environ, start_response, match.groups())
        return super().wsgi_app(environ, start_response)

    def _hosted(self, environ: Environ) -> bool:
        """Whether Flask would answer for the host: found out once for each."""
        host = environ.get("HTTP_HOST", "")
        if host in self._hosts:
            return True
        try:
            self.create_url_adapter(Request(environ, populate_request=False))
        except HTTPException:
            return False
        if len(self._hosts) < MOST:
            self._hosts.add(host)
        return True
