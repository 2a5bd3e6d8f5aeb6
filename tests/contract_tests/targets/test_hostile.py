"""Hostile servers: each request ends in time, in bounded memory, as a response or a reason."""

import threading
import time

import pytest

from contract_tests.targets.base import MAX_RESPONSE_BYTES, NoResponse, Request, Response
from contract_tests.targets.clock import RunStopped
from contract_tests.targets.http import HttpTarget
from tests.support.hostile_server import ANSWERS, LARGE, choose_answers, serve_always, serve_answers

CREATE = Request("POST", "/containers", (("Content-Type", "application/json"),), b"{}")
_TIMEOUT = 0.3  # seconds
_TRIES = 4  # a lost connection is tried again three times


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.slow
def test_a_request_ends_in_time(name: str) -> None:
    """Whatever drips, floods or breaks off, a request ends after its timeout and retries, and raises nothing."""
    with serve_answers(serve_always(name)) as (url, _):
        started = time.monotonic()
        received = HttpTarget(url, timeout=_TIMEOUT).send(CREATE)
        seconds = time.monotonic() - started
    assert seconds < _TRIES * (_TIMEOUT + 1.5)
    if isinstance(received, Response):
        assert len(received.body) <= MAX_RESPONSE_BYTES
    else:
        assert received.reason
        assert "\n" not in received.reason


@pytest.mark.parametrize("name", ["status-cut", "headers-cut", "length-cut"])
@pytest.mark.slow
def test_a_head_that_breaks_off_is_no_response(name: str) -> None:
    """What arrived of a status line or of headers is never judged as a response without a body."""
    with serve_answers(serve_always(name)) as (url, _):
        received = HttpTarget(url, timeout=5).send(CREATE)
    assert isinstance(received, NoResponse)
    assert received.reason == "the connection was dropped"


def test_a_body_without_end_is_cut() -> None:
    """The beginning of a body without end is the response."""
    with serve_answers(serve_always("gzip-bomb")) as (url, _):
        received = HttpTarget(url, timeout=10).send(CREATE)
    assert isinstance(received, Response)
    assert len(received.body) == MAX_RESPONSE_BYTES


def test_a_broken_encoding_is_named() -> None:
    """A body that is not in its Content-Encoding is reported in words."""
    with serve_answers(serve_always("gzip-broken")) as (url, _):
        received = HttpTarget(url, timeout=5).send(CREATE)
    assert isinstance(received, NoResponse)
    assert received.reason == "the response has a broken content encoding"


@pytest.mark.parametrize("name", LARGE)
def test_a_large_body_gives_its_connection_back(name: str) -> None:
    """More responses that are not read to their end than the pool has connections: no request waits forever."""
    with serve_answers(serve_always(name)) as (url, _):
        target, received = HttpTarget(url, timeout=5, connections=2), list[object]()
        sending = threading.Thread(
            target=lambda: received.extend(target.send(CREATE) for _ in range(4)), daemon=True
        )
        sending.start()
        sending.join(20)
    assert len(received) == 4


def test_a_stop_within_a_body_gives_its_connection_back() -> None:
    """A request that the end of the run interrupts leaves its connection to the pool."""
    with serve_answers(serve_always("body-drips")) as (url, _):
        target = HttpTarget(url, connections=1)
        threading.Timer(0.2, target.clock.stop).start()
        with pytest.raises(RunStopped):
            target.send(CREATE)
        assert target._pool.pool is not None
        assert target._pool.pool.qsize() == 1


def test_a_slow_response_leaves_the_next_its_time() -> None:
    """The timeout of a connection is whole again for its next request."""
    with serve_answers(serve_always("good")) as (url, _):
        target = HttpTarget(url, timeout=_TIMEOUT)
        assert [type(target.send(CREATE)) for _ in range(5)] == [Response] * 5


@pytest.mark.parametrize(
    "seed",
    [*range(6), *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(100, 150))],
)
@pytest.mark.slow
def test_a_seed_of_answers_holds_nobody_up(seed: int) -> None:
    """A mixture of answers, chosen by a seed, ends in time for each request; a good answer is a response."""
    with serve_answers(choose_answers(seed)) as (url, given):
        target = HttpTarget(url, timeout=_TIMEOUT)
        for _ in range(8):
            before, started = len(given), time.monotonic()
            received = target.send(CREATE)
            assert time.monotonic() - started < _TRIES * (_TIMEOUT + 1.5)
            if given[before:] == ["good"]:
                assert isinstance(received, Response)
            assert isinstance(received, Response) or received.reason
