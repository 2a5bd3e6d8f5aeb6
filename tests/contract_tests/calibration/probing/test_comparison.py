"""Which of two faults a refusal of both tells, compared with the refusals of each."""

import pytest

from contract_tests.calibration.probing.comparison import find_told
from contract_tests.calibration.probing.sighting import Answer


def refuse(status: int, text: str = "") -> Answer:
    """Return a refusal."""
    return Answer("a request", "refused", status, "text/plain", text)


@pytest.mark.parametrize(("status", "told"), [(401, "first"), (400, "second"), (404, "")])
def test_another_status_decides(status: int, told: str) -> None:
    """Where the statuses differ, that of both faults decides, whatever the texts."""
    assert find_told(refuse(status, "port"), refuse(401, "token"), refuse(400, "port")) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port is wrong", "first"),
        ("count is wrong", "second"),
        ("port and count are wrong", "both"),
        ("something is wrong", ""),
    ],
)
def test_words_decide_between_equal_statuses(text: str, told: str) -> None:
    """With equal statuses, the words that only one of the two refusals has decide."""
    assert find_told(refuse(400, text), refuse(400, "port is wrong"), refuse(400, "count is wrong")) == told


@pytest.mark.parametrize("volatile", ["2026-11-29T01:00:05Z", "0192f0c0-ab", "abcdef", "12"])
def test_ids_times_and_numbers_tell_nothing(volatile: str) -> None:
    """What is new in each answer is no word, even if two answers happen to share it."""
    assert find_told(refuse(400, f"no {volatile}"), refuse(400, f"no {volatile}"), refuse(400, "no")) == ""
