"""Responses as Flask sends them."""

import flask

from mock_server.web.middleware import RequestOutcome
from mock_server.web.responses import Response
from mock_server.web.wsgi import OUTCOME


def send_response(response: Response, operation: str = "", caller: str = "") -> flask.Response:
    """Return the response for Flask, and leave its outcome in the environ for the journal and the log."""
    flask.request.environ[OUTCOME] = RequestOutcome(response, operation, caller)
    return to_flask(response)


def to_flask(response: Response) -> flask.Response:
    """Return the response for Flask."""
    status = response.status or 503  # a response without a status is never sent
    headers = {"Content-Type": response.media_type, **response.headers}
    return flask.Response(response.body, status, headers)
