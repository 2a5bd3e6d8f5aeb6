"""Turns: one thread of the server works at a time, and whatever another waits for holds up nobody."""

import io
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from mock_server.server import process
from mock_server.server.turns import Turns
from mock_server.web.middleware import Environ, StartResponse
from tests.mock_server.admin.test_api import CREATE, auth
from tests.support.thread_pool import LONG, App, pool


def test_a_thread_that_has_answered_is_held_while_another_works() -> None:
    """Of two threads, the one that answers first takes no request until the other waits."""
    turns, works, waits, ends = Turns(LONG), threading.Event(), threading.Event(), threading.Event()

    def app(environ: Environ, _: StartResponse) -> list[bytes]:
        if environ["PATH_INFO"] == "/works":
            works.set()
            waits.wait(20)
            with turns.waiting():
                ends.wait(20)
        return [environ["PATH_INFO"].encode()]

    with pool(turns, app, 2) as made:
        made.ask({"PATH_INFO": "/works"})
        assert works.wait(20)
        made.ask({"PATH_INFO": "/first"})
        assert made.answer() == b"/first"
        made.ask({"PATH_INFO": "/second"})
        with pytest.raises(queue.Empty):
            made.answered.get(timeout=0.2)
        waits.set()
        assert made.answer() == b"/second"
        ends.set()
        assert made.answer() == b"/works"


def test_few_long_bodies_are_in_memory_at_a_time() -> None:
    """Of twenty long bodies that come at once eight are read, then the others."""
    turns, read, comes = Turns(LONG), queue.SimpleQueue[None](), threading.Event()

    class Upload:
        def read(self, _: int) -> bytes:
            read.put(None)
            comes.wait(20)
            return b"body"

    def app(environ: Environ, _: StartResponse) -> list[bytes]:
        return [environ["wsgi.input"].read(10)]

    with pool(turns, app, 20) as made:
        for _ in range(20):
            made.ask({"wsgi.input": Upload(), "CONTENT_LENGTH": "70000"})
        for _ in range(8):
            read.get(timeout=20)
        with pytest.raises(queue.Empty):
            read.get(timeout=0.2)
        comes.set()
        assert [made.answer() for _ in range(20)] == [b"body"] * 20


def _elsewhere(done: Callable[[], object]) -> None:
    """Does something in a thread of its own, to its end."""
    thread = threading.Thread(target=done)
    thread.start()
    thread.join(20)


def _quick(_environ: Environ, _: StartResponse) -> list[bytes]:
    return [b"quick"]


def _held(turns: Turns, length: int = 0) -> bool:
    """Whether a call of this moment, with a body of that length, would hold its thread."""
    environ = {"wsgi.input": io.BytesIO(bytes(length)), "CONTENT_LENGTH": str(length)}
    parts = turns.around(_quick)(environ, lambda *_: None)
    if isinstance(parts, list):
        return False
    next(iter(parts))
    getattr(parts, "close", lambda: None)()
    return True


def _refused(*_: object) -> list[bytes]:
    raise OSError("nobody knows why")


@pytest.mark.parametrize("app", [_refused, lambda *_: iter((b"one", b"two"))], ids=["raises", "in-parts"])
def test_a_call_that_has_no_list_of_parts_holds_nobody(app: App) -> None:
    """A call that has failed, or whose answer comes part by part, is no longer at work."""
    turns = Turns(LONG)

    def call() -> None:
        with suppress(OSError):
            turns.around(app)({"wsgi.input": io.BytesIO()}, lambda *_: None)

    _elsewhere(call)
    assert not _held(turns)


def test_a_client_that_is_gone_leaves_nothing_behind() -> None:
    """Where the server closes an answer that it cannot send, the thread that is let go is one that is held.

    The thread of a long body never is.
    """
    turns, begun, waits, ends = Turns(LONG), threading.Event(), threading.Event(), threading.Event()

    def works(_environ: Environ, _: StartResponse) -> list[bytes]:
        begun.set()
        waits.wait(20)
        with turns.waiting():
            ends.wait(20)
        return [b"works"]

    at_work = threading.Thread(
        target=lambda: list(turns.around(works)({"wsgi.input": io.BytesIO()}, lambda *_: None)), daemon=True
    )
    at_work.start()
    assert begun.wait(20)
    parts = iter(turns.around(_quick)({"wsgi.input": io.BytesIO()}, lambda *_: None))
    assert next(parts) == b"quick"
    held = threading.Thread(target=list, args=(parts,), daemon=True)
    held.start()
    assert _held(turns), "by another, which is closed"
    assert not _held(turns, 70_000), "what is large is kept by nobody"
    waits.set()
    held.join(20)
    assert not held.is_alive()
    ends.set()
    at_work.join(20)


@pytest.mark.parametrize("prefer", ["wait=20", "code=409, wait=20"])
def test_an_answer_that_is_held_back_takes_no_turn(prefer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mock that is served waits in turns: nobody is held by a call that sleeps."""
    turns, asleep, ends = Turns(LONG), threading.Event(), threading.Event()
    monkeypatch.setattr(process, "_TURNS", turns)
    monkeypatch.setattr(time, "sleep", lambda _: asleep.set() or ends.wait(20))
    options = process.Options(quiet=True, max_body=10_000 + len(prefer))
    client = Client(process.in_turns(options, process.app(options)))
    late = threading.Thread(target=lambda: client.post(CREATE, headers={**auth(), "Prefer": prefer}))
    late.start()
    assert asleep.wait(20)
    assert not _held(turns)
    ends.set()
    late.join(20)


def _breaks() -> Iterator[bytes]:
    yield b"part"
    raise ConnectionResetError("it breaks off")


def _app(turns: Turns) -> App:
    def stuck() -> list[bytes]:
        threading.Event().wait(0.03)
        return [b"stuck"]

    def sleeps() -> list[bytes]:
        turns.sleep(0.01)
        return [b"sleeps"]

    kinds: dict[str, Callable[[], Iterable[bytes]]] = {
        "quick": lambda: [b"quick"],
        "sleeps": sleeps,
        "stuck": stuck,
        "raises": _refused,
        "parts": lambda: iter((b"one", b"two")),
        "breaks": _breaks,
    }
    return lambda environ, _: kinds[environ["PATH_INFO"]]()


ANSWERS = {
    "quick": [b"quick"],
    "sleeps": [b"sleeps"],
    "stuck": [b"stuck"],
    "raises": ["nobody knows why"],
    "parts": [b"one", b"two"],
    "breaks": [b"part", "it breaks off"],
}


@given(st.lists(st.sampled_from(sorted(ANSWERS)), max_size=40), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_every_call_is_answered(kinds: list[str], threads: int) -> None:
    """Whatever calls do, wait, fail or break off, each is answered, by however few threads."""
    turns = Turns(LONG)
    with pool(turns, _app(turns), threads) as made:
        for kind in kinds:
            made.ask({"PATH_INFO": kind})
        wanted = [part for kind in kinds for part in ANSWERS[kind]]
        told = [made.answer() for _ in wanted]
    assert sorted(str(each) for each in told) == sorted(str(each) for each in wanted)


@pytest.mark.parametrize("framing", [{"CONTENT_LENGTH": "70000"}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_a_long_body_is_waited_for(framing: Environ) -> None:
    """Another thread works while the parts of a long body come, without anybody's patience being tried."""
    turns, comes = Turns(LONG), threading.Event()

    class Upload:
        def read(self, size: int | None = None) -> bytes:
            comes.wait(20)
            return b"body"[:size] if size is None or size >= 0 else b""

    def app(environ: Environ, _: StartResponse) -> list[bytes]:
        stream = environ["wsgi.input"]
        return [stream.read(2) + stream.read() or b"quick"]

    with pool(turns, app, 2) as made:
        made.ask({"wsgi.input": Upload(), **framing})
        for _ in range(3):
            made.ask({})
            assert made.answer() == b"quick"
        comes.set()
        assert made.answer() == b"bobody"
