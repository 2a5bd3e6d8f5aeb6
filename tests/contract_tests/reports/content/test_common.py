"""Texts of a target in a terminal or the log of a CI job."""

import pytest

from contract_tests.reports.content.common import escape_console


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a ##[group]b", r"a #\x23[group]b"),
        ("##VSO[task.setvariable]", r"#\x23VSO[task.setvariable]"),
        ("a\n  ::add-mask::b", "a\n  :\\x3aadd-mask::b"),
        ("a ::error file=a,line=1::b", r"a :\x3aerror file=a,line=1::b"),
        ("\x1b[31m", r"\x1b[31m"),
        *[(text, text) for text in ("http://[::1]:8080/a::b", "# heading", "## [a]", "a: b", "é 😀")],
    ],
)
def test_no_text_is_a_command_of_a_runner(text: str, shown: str) -> None:
    """What GitHub's or Azure's runner reads as a command is escaped, also where a wrapped line may begin with it."""
    assert escape_console(text) == shown
