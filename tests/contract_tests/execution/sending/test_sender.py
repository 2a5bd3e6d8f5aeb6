"""The sender notices a token that the target stops accepting."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from mock_server import create_app
from tests.support.gate.gate import judge_app

Refuses = Callable[[int], bool]


def refuse_some(refuses: Refuses) -> Callable[..., Iterable[bytes]]:
    """Return a mock that answers 401 to the requests whose number is refused."""
    app, numbers = create_app(), itertools.count(1)

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if refuses(next(numbers)):
            start("401 Unauthorized", [])
            return [b""]
        response: Iterable[bytes] = app(environ, start)
        return response

    return answer


@pytest.mark.parametrize(
    ("refuses", "code"),
    [(lambda number: number > 50, 3), (lambda number: number > 50 and number % 3 == 0, 1)],
    ids=["expired", "every-third"],
)
def test_an_expired_token_is_no_violation(refuses: Refuses, code: int) -> None:
    """A run ends with 3 once every request gets a 401, and still finds a target that refuses some only."""
    report = judge_app(refuse_some(refuses), layers=("wire",))
    assert report.exit_code == code
    assert ("stopped accepting the token of" in report.cut_short) == (code == 3)
