"""Turns: a call that waits without saying so is found out, however seldom it is looked for."""

import queue
import threading
import time
import weakref
from collections.abc import Iterable
from types import SimpleNamespace

import pytest

from mock_server.server.turns import Turns
from mock_server.web.middleware import Environ, StartResponse
from tests.support.thread_pool import App, pool


def _long_or_quick(began: queue.SimpleQueue[None], ends: queue.SimpleQueue[None]) -> App:
    """An app that says when a long call began, and is told when it ends."""

    def app(environ: Environ, _: StartResponse) -> list[bytes]:
        if environ["PATH_INFO"] == "/long":
            began.put(None)
            ends.get(timeout=20)
        return [environ["PATH_INFO"].encode()]

    return app


def test_a_thread_is_let_go_when_another_waits_later() -> None:
    """Who is held while nothing is to be done is let go once a call takes long, without being told."""
    turns, began, ends = Turns(patience=0.01), queue.SimpleQueue[None](), queue.SimpleQueue[None]()

    with pool(turns, _long_or_quick(began, ends), 2) as made:
        for _ in range(3):
            made.ask({"PATH_INFO": "/long"})
            began.get(timeout=20)
            for _ in range(3):
                made.ask({"PATH_INFO": "/quick"})
                assert made.answer() == b"/quick"
            ends.put(None)
            assert made.answer() == b"/long"
            time.sleep(0.1)


def test_a_thread_that_was_held_before_is_let_go() -> None:
    """Who is held when nothing is at work is let go once a call begins that waits."""
    turns, began, ends = Turns(patience=0.2), queue.SimpleQueue[None](), queue.SimpleQueue[None]()

    with pool(turns, _long_or_quick(began, ends), 2) as made:
        for _ in range(2):
            made.ask({"PATH_INFO": "/long"})
            began.get(timeout=20)
            made.ask({"PATH_INFO": "/quick"})
            assert made.answer() == b"/quick"
            ends.put(None)
            assert made.answer() == b"/long"
            time.sleep(0.5)


class Ticks:
    """The clock of turns, and the sleep of whoever watches: how long each is to be, and when it ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.slept, self._go = queue.SimpleQueue[float](), queue.SimpleQueue[None]()
        clock = SimpleNamespace(sleep=self._sleep, monotonic=lambda: self.now)
        monkeypatch.setattr("mock_server.server.turns.time", clock)

    def _sleep(self, seconds: float) -> None:
        self.slept.put(seconds)
        self._go.get()  # the last one never ends, but with the process

    def next(self) -> float:
        """The next sleep, as soon as it has begun."""
        return self.slept.get(timeout=20)

    def pass_by(self) -> None:
        """Ends a sleep."""
        self._go.put(None)


def test_it_is_looked_often_after_a_call_that_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits is looked for seldom, often once somebody was found, and seldom again when nobody is."""
    monkeypatch.setattr("mock_server.server.turns._WARY", 1)
    ticks, began, ends = Ticks(monkeypatch), queue.SimpleQueue[None](), queue.SimpleQueue[None]()
    with pool(Turns(patience=1, calm=50), _long_or_quick(began, ends), 2) as made:

        def asked(path: str) -> bytes:
            made.ask({"PATH_INFO": path})
            return b"" if path == "/long" and began.get(timeout=20) is None else made.answer()

        assert (asked("/long"), asked("/quick"), ticks.next()) == (b"", b"/quick", 50)
        ticks.pass_by()
        assert asked("/quick") == b"/quick", "its thread was held until the tick was over"
        ends.put(None)
        assert made.answer() == b"/long"
        assert (asked("/long"), asked("/quick"), ticks.next()) == (b"", b"/quick", 1)
        ends.put(None)
        assert (made.answer(), asked("/quick")) == (b"/long", b"/quick")
        ticks.pass_by()
        assert ticks.next() == 50
        ticks.pass_by()


@pytest.mark.parametrize(("late", "seconds"), [(0.9, 50), (1.1, 1)])
def test_it_is_looked_often_after_a_body_that_was_late(
    late: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sent a body late, if only by a little more than is waited for, may do so again."""
    ticks, began, ends = Ticks(monkeypatch), queue.SimpleQueue[None](), queue.SimpleQueue[None]()

    class Upload:
        def read(self, _: int) -> bytes:
            ticks.now += late
            return b"late"

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/late":
            return [environ["wsgi.input"].read(4)]
        return _long_or_quick(began, ends)(environ, start_response)

    with pool(Turns(patience=1, calm=50), app, 2) as made:
        made.ask({"PATH_INFO": "/late", "wsgi.input": Upload()})
        assert made.answer() == b"late"
        made.ask({"PATH_INFO": "/long"})
        began.get(timeout=20)
        made.ask({"PATH_INFO": "/quick"})
        assert (made.answer(), ticks.next()) == (b"/quick", seconds)
        ends.put(None)
        ticks.pass_by()


def test_a_call_that_all_others_end_before_holds_nobody() -> None:
    """Who began before the others were held is found to wait, too, though nobody begins any more."""
    turns, ends, meet = Turns(patience=0.01), queue.SimpleQueue[None](), threading.Barrier(2)

    def app(environ: Environ, _: StartResponse) -> list[bytes]:
        meet.wait(20)
        if environ["PATH_INFO"] == "/long":
            ends.get(timeout=20)
        return [environ["PATH_INFO"].encode()]

    with pool(turns, app, 2) as made:
        for _ in range(3):
            for path in ("/long", "/quick", "/long"):
                made.ask({"PATH_INFO": path})
            assert made.answer() == b"/quick"
            ends.put(None)
            made.ask({"PATH_INFO": "/quick"})
            assert sorted((made.answer(), made.answer())) == [b"/long", b"/quick"]
            ends.put(None)
            assert made.answer() == b"/long"
            time.sleep(0.1)


def test_nobody_is_held_while_nothing_is_asked() -> None:
    """After a rest all threads are let go, with what their calls still hold."""
    turns, meet = Turns(patience=0.01, rest=0.01), threading.Barrier(4)

    def app(_environ: Environ, _: StartResponse) -> list[bytes]:
        meet.wait(20)
        return [b"met"]

    class Sent:
        """A part of a request."""

    with pool(turns, app, 4) as made:
        sent = [Sent() for _ in range(4)]
        kept = [weakref.ref(one) for one in sent]
        while sent:
            made.ask({"sent": sent.pop()})
        assert [made.answer() for _ in range(4)] == [b"met"] * 4
        ends = time.monotonic() + 20
        while any(one() for one in kept):
            assert time.monotonic() < ends, "calls are held for ever"
            time.sleep(0.01)
