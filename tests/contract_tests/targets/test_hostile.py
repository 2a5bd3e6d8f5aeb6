"""Hostile servers: each request ends in time, in bounded memory, as a response or a reason."""

import time

import pytest

from contract_tests.targets.base import Request, Response
from contract_tests.targets.http import MAX_RESPONSE_BYTES, HttpTarget
from tests.support.hostile_server import ANSWERS, choose_answers, serve_always, serve_answers

CREATE = Request("POST", "/containers", (("Content-Type", "application/json"),), b"{}")
_TIMEOUT = 0.3  # seconds
_TRIES = 4  # a lost connection is tried again three times


@pytest.mark.parametrize("name", ANSWERS)
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


def test_a_body_without_end_is_cut() -> None:
    """The beginning of a body without end is the response."""
    with serve_answers(serve_always("gzip-bomb")) as (url, _):
        received = HttpTarget(url, timeout=10).send(CREATE)
    assert isinstance(received, Response)
    assert len(received.body) == MAX_RESPONSE_BYTES


def test_a_slow_response_leaves_the_next_its_time() -> None:
    """The timeout of a connection is whole again for its next request."""
    with serve_answers(serve_always("good")) as (url, _):
        target = HttpTarget(url, timeout=_TIMEOUT)
        assert [type(target.send(CREATE)) for _ in range(5)] == [Response] * 5


@pytest.mark.parametrize(
    "seed",
    [*range(6), *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(100, 150))],
)
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
