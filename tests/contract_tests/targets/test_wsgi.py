"""A WSGI app in this process that answers as no right one does."""

import itertools
from collections.abc import Iterator
from typing import Any

from contract_tests.targets.base import MAX_RESPONSE_BYTES, Request
from contract_tests.targets.wsgi import WsgiTarget

CREATE = Request("POST", "/containers", (), b"{}")


def test_a_long_body_is_cut_and_closed() -> None:
    """The beginning of a body that is too long is the response, and the app may clean up."""
    closed: list[bool] = []

    def respond(_: Any, start_response: Any) -> Iterator[bytes]:
        start_response("201 Created", [])
        try:
            yield from itertools.repeat(b"x" * 65536, 1000)
        finally:
            closed.append(True)

    received = WsgiTarget(respond).send(CREATE)
    assert (received.status, len(received.body), closed) == (201, MAX_RESPONSE_BYTES, [True])


def test_a_status_that_is_no_number_is_a_server_error() -> None:
    """A server cannot send it: it answers 500."""

    def respond(_: Any, start_response: Any) -> list[bytes]:
        start_response("fine", [])
        return [b""]

    assert WsgiTarget(respond).send(CREATE).status == 500
