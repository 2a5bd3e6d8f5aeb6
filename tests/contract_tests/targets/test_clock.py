"""The clock of a run ends every wait: its time limit, and whoever stops it."""

import threading
import time

import pytest

from contract_tests.targets import clock as clock_module
from contract_tests.targets.base import Request, Response
from contract_tests.targets.clock import RunClock, RunStopped
from contract_tests.targets.http import HttpTarget
from contract_tests.targets.rate_limit import RateLimitedTarget
from tests.support.hostile_server import ANSWERS, POSTPONED, send_bytes, serve_always, serve_answers

CREATE = Request("POST", "/containers", (("Content-Type", "application/json"),), b"{}")


def test_a_stopped_clock_waits_for_nothing() -> None:
    """After a stop, a check and each wait raise at once."""
    clock = RunClock()
    clock.check()
    clock.stop()
    for last in (clock.check, lambda: clock.wait(3600)):
        with pytest.raises(RunStopped):
            last()


def test_a_new_run_is_not_stopped() -> None:
    """Runs of one target share its clock: the stop of one, for example since the target was away, ends with it."""
    clock = RunClock()
    clock.stop()
    clock.start(None)
    clock.check()
    clock.wait(0)


def test_the_time_limit_ends_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait that would outlast the time limit ends with it, and a short one comes to its end."""
    monkeypatch.setattr(clock_module, "_GRACE_SECONDS", 0.05)
    clock = RunClock()
    clock.wait(0)
    clock.start(0.01)
    with pytest.raises(RunStopped):
        clock.wait(3600)
    assert clock.is_time_up()


def test_waits_together_are_told_once() -> None:
    """Of waits at the same time one is told, and a short wait is not."""
    told: list[float] = []
    clock = RunClock(told.append)
    clock.stop()
    for seconds in (0.1, 30, 30, 20):
        with pytest.raises(RunStopped):
            clock.wait(seconds)
    assert told == [30]


def stop_soon(clock: RunClock) -> None:
    """Stop a clock while a request waits."""
    threading.Timer(0.2, clock.stop).start()


@pytest.mark.parametrize("name", [*POSTPONED, "silence", "body-drips", "chunks-drip"])
def test_a_stop_ends_a_request_on_its_way(name: str) -> None:
    """Neither a Retry-After of a day nor a server that drips or is silent outlasts the stop of the run."""
    with serve_answers(serve_always(name)) as (url, _):
        target = HttpTarget(url, timeout=60)
        stop_soon(target.clock)
        started = time.monotonic()
        with pytest.raises(RunStopped):
            target.send(CREATE)
        assert time.monotonic() - started < 5


def test_a_stop_ends_the_wait_for_the_rate() -> None:
    """A request that waits for its turn gives up when the run ends."""
    with serve_answers(serve_always("good")) as (url, _):
        target = RateLimitedTarget(HttpTarget(url), per_second=0.001)
        target.send(CREATE)
        stop_soon(target.clock)
        with pytest.raises(RunStopped):
            target.send(CREATE)


def test_a_retry_after_is_obeyed_up_to_a_bound() -> None:
    """A Retry-After of a day is told as a wait of 30 seconds."""
    told: list[float] = []
    with serve_answers(serve_always("busy-for-a-day")) as (url, _):
        target = HttpTarget(url, clock=RunClock(told.append))
        stop_soon(target.clock)
        with pytest.raises(RunStopped):
            target.send(CREATE)
    assert told == [30]


def test_a_retry_after_is_read_by_the_clock_of_the_target() -> None:
    """A time in Retry-After counts from the Date of the response: a clock years ahead costs no long wait."""
    times = b"Date: Fri, 01 Jan 2100 00:00:00 GMT\r\nRetry-After: Fri, 01 Jan 2100 00:00:01 GMT\r\n"
    busy = send_bytes(b"HTTP/1.1 429 Too Many Requests\r\n%bContent-Length: 0\r\n\r\n" % times)
    told: list[float] = []
    with serve_answers(iter([("busy", busy)] + [("good", ANSWERS["good"])] * 9)) as (url, _):
        received = HttpTarget(url, clock=RunClock(told.append)).send(CREATE)
    assert isinstance(received, Response)
    assert (received.status, told) == (201, [])


@pytest.mark.parametrize(
    "value",
    [
        b"9" * 5000,
        b"-5",
        b"soon",
        "²³".encode("latin-1"),
        b"Fri, 31 Dec 99999999 23:59:59 GMT",
        b"Fri, 31 Dec 9999 23:59:59 +99999999999999999999",
        b"Mon, 0 Jan 0000 99:99:99",
    ],
    ids=["digits", "negative", "word", "superscript", "year", "zone", "zeros"],
)
def test_an_unreadable_retry_after_is_ignored(value: bytes) -> None:
    """A 429 is retried after the usual pause, whatever its Retry-After says, and its last try is the response."""
    busy = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: %b\r\nContent-Length: 0\r\n\r\n" % value
    good = ANSWERS["good"]
    with serve_answers(iter([("busy", send_bytes(busy))] * 2 + [("good", good)] * 9)) as (url, _):
        received = HttpTarget(url, timeout=5).send(CREATE)
    assert isinstance(received, Response)
    assert received.status == 201
