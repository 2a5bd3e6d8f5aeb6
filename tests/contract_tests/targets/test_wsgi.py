"""A WSGI app in this process that answers as no right one does."""

import itertools
import time
from asyncio import CancelledError
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


@pytest.mark.parametrize(
    ("busy", "resent"),
    [(("429 Too Many Requests", []), False), (("503 Later", [("Retry-After", "0")]), True)],
    ids=["429", "503"],
)
def test_a_busy_app_gets_the_request_again(busy: tuple[str, list[tuple[str, str]]], resent: bool) -> None:
    """The same request is sent until it gets another response, as over HTTP; after a 503 it may be stored."""
    bodies: list[bytes] = []

    def respond(environ: Any, start_response: Any) -> list[bytes]:
        bodies.append(environ["wsgi.input"].read())
        start_response(*(busy if len(bodies) < 3 else ("201 Created", [])))
        return [b""]

    response = WsgiTarget(respond).send(CREATE)
    assert (response.status, response.resent) == (201, resent)
    assert bodies == [b"{}"] * 3


def test_an_app_that_stays_busy_is_given_up() -> None:
    """After nine further tries the response is the last 503."""
    calls: list[str] = []

    def respond(environ: Any, start_response: Any) -> list[bytes]:
        calls.append(environ["PATH_INFO"])
        start_response("503 Never", [])
        return [b""]

    assert (WsgiTarget(respond).send(CREATE).status, len(calls)) == (503, 10)


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


@pytest.mark.parametrize(
    "status", ["0 Nothing", "100 Continue", "99999 Much", "-1 Less", "", "\u0662\u0660\u0661 Arabic"]
)
def test_a_status_that_no_server_can_send_is_a_server_error(status: str) -> None:
    """Only three digits from 200 to 999 are a final status."""

    def respond(_: Any, start_response: Any) -> list[bytes]:
        start_response(status, [])
        return [b""]

    assert WsgiTarget(respond).send(CREATE).status == 500


def test_a_header_of_bytes_is_a_server_error() -> None:
    """A header that is no text is a fault of the app, not of the gate."""

    def respond(_: Any, start_response: Any) -> list[bytes]:
        start_response("201 Created", [(b"Content-Type", b"application/json")])
        return [b"{}"]

    assert WsgiTarget(respond).send(CREATE).status == 500


@pytest.mark.parametrize(
    "error", [SystemExit(0), GeneratorExit(), CancelledError(), BaseException("gone")], ids=repr
)
def test_whatever_an_app_raises_is_a_server_error(error: BaseException) -> None:
    """A cancelled task or an exit is no error of the gate, which would lose its results."""

    def respond(*_: Any) -> list[bytes]:
        raise error

    assert WsgiTarget(respond).send(CREATE).status == 500


class _UnspeakableError(Exception):
    """An error that cannot be told."""

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


def raise_unspeakable(*_: Any) -> Any:
    """Raise an error that cannot be told."""
    raise _UnspeakableError


def test_an_error_without_a_text_is_a_server_error() -> None:
    """What an error of the app says comes from code of the app: it may fail, too."""
    received = WsgiTarget(raise_unspeakable).send(CREATE)
    assert (received.status, received.body) == (500, b"_UnspeakableError, which has no text")


def test_an_error_without_a_text_while_loading_is_told() -> None:
    """A factory that raises one is unusable, as one that raises another."""
    with pytest.raises(TargetError, match="_UnspeakableError, which has no text"):
        open_target(f"wsgi:{__name__}:raise_unspeakable")


def test_ctrl_c_within_an_app_ends_the_run() -> None:
    """The signal comes while the app runs, but is meant for the gate."""

    def respond(*_: Any) -> list[bytes]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        WsgiTarget(respond).send(CREATE)


@pytest.mark.parametrize("started", [True, False], ids=["after-its-head", "before-its-head"])
@pytest.mark.parametrize("part", [b"", b" "], ids=["of-nothing", "of-spaces"])
def test_a_body_without_end_is_cut(part: bytes, started: bool) -> None:
    """An app whose body never ends holds up the gate for the timeout at most, and fills no memory."""

    def respond(_: Any, start_response: Any) -> Iterator[bytes]:
        if started:
            start_response("201 Created", [])
        return itertools.repeat(part)

    begun = time.perf_counter()
    status = WsgiTarget(respond, timeout=0.2).send(CREATE).status
    assert time.perf_counter() - begun < 5
    assert status == 500


@pytest.mark.parametrize("headers", [[("X-A", "1")] * 1001, [("X-A", "a" * 2**20)]], ids=["many", "long"])
def test_headers_without_end_are_a_server_error(headers: list[tuple[str, str]]) -> None:
    """They are refused before each of them is searched for tokens."""

    def respond(_: Any, start_response: Any) -> list[bytes]:
        start_response("201 Created", headers)
        return [b"{}"]

    assert WsgiTarget(respond).send(CREATE).status == 500
