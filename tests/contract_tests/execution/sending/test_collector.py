"""Collectors whose responses do not end."""

from itertools import repeat

import pytest

from contract_tests.execution.sending.collector import open_bounded_session
from tests.support.hostile_server import ANSWERS, serve_answers


@pytest.mark.parametrize("name", ["body-without-end", "body-drips", "chunks-drip", "gzip-bomb"])
def test_a_response_is_read_up_to_a_bound(name: str) -> None:
    """The exporter keeps what a collector sends in memory, so the session reads the beginning of it only."""
    with serve_answers(repeat((name, ANSWERS[name]))) as (address, _), open_bounded_session() as session:
        response = session.post(address, data=b"spans", timeout=5)
    assert response.status_code == 201
    assert len(response.content) <= 64 * 1024


def test_a_short_response_is_whole() -> None:
    """A response of a collector that behaves is what it sent."""
    with serve_answers(repeat(("good", ANSWERS["good"]))) as (address, _), open_bounded_session() as session:
        assert session.post(address, data=b"spans", timeout=5).json()
