"""Bodies and texts as the pages show them."""

import pytest

from mock_server.admin.request_view import escape_invisible, indent_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": [1]}', '{\n  "a": [\n    1\n  ]\n}'),
        ('{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        ("[1.0e0]", "[1.0e0]"),
        ('["é\\u00e9"]', '["é\\u00e9"]'),
        ("[" * 100_000, "[" * 100_000),
        ("9" * 5000, "9" * 5000),
        ("no JSON", "no JSON"),
    ],
    ids=lambda text: text[:12],
)
def test_a_body_is_indented_if_only_white_space_changes(text: str, expected: str) -> None:
    """Repeated keys, number formats and escapes are shown as received."""
    assert indent_json(text) == expected


def test_invisible_characters_are_escaped() -> None:
    """Control characters, text directions and surrogates are escaped; line breaks and other scripts stay."""
    assert (
        escape_invisible("a\nb\tc é 日本 \x00\x1b\u202e\ud800\r")
        == "a\nb\tc é 日本 \\x00\\x1b\\u202e\\ud800\\r"
    )
