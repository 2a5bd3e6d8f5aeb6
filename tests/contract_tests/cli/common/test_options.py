"""Types of command-line options."""

from typing import Any

import click
import pytest

from contract_tests.cli.common.options import Duration, PerSecond, ReportFormat, Shard


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Duration(), "500ms", 0.5),
        (Duration(), "1.5m", 90.0),
        (Duration(), "999999h", 999999 * 3600.0),
        (PerSecond(), "2000/s", 2000.0),
        (PerSecond(), "30/m", 0.5),
        (Shard(), "1/4", (1, 4)),
    ],
)
def test_a_value_is_read(kind: click.ParamType[Any], text: str, value: object) -> None:
    """A value with a unit is a number of seconds, of requests per second, or a pair."""
    assert kind.convert(text, None, None) == value


@pytest.mark.parametrize("kind", [Duration(), PerSecond(), Shard()], ids=lambda kind: kind.name)
@pytest.mark.parametrize("text", ["9" * 400, "1/" + "9" * 5000, "0", "-1", "1e9", "²", ""], ids=range(7))
def test_an_unusable_value_is_one_sentence(kind: click.ParamType[Any], text: str) -> None:
    """A number that is not one, or far too long, is a usage error, not a crash."""
    with pytest.raises(click.UsageError, match=r"is not a (time|rate|shard) such as"):
        kind.convert(text, None, None)


def test_a_report_that_each_folder_has_is_no_format() -> None:
    """A guess such as `--format junit` is told which option writes that report."""
    with pytest.raises(click.BadParameter, match="'junit' needs no --format: --report DIR writes it"):
        ReportFormat(["sarif"]).convert("junit", None, None)
