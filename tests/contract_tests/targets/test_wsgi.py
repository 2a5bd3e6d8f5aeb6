"""A WSGI app in this process that answers as no right one does."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract_tests.targets.base import MAX_RESPONSE_BYTES, Request, TargetError
from contract_tests.targets.factory import open_target
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


def test_a_module_of_the_working_folder_needs_the_python_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command does not import from the working folder, so the error says how to; it does not for other modules."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TargetError, match="give wsgi:module:factory"):
        open_target("wsgi:my_own_server:app")
    Path("my_own_server.py").touch()
    with pytest.raises(TargetError, match=r"No module named 'my_own_server'; set PYTHONPATH=\. to import"):
        open_target("wsgi:my_own_server:app")
