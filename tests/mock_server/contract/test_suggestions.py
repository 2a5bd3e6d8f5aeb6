"""The name that was probably meant."""

import pytest

from mock_server.contract.suggestions import suggest_name

NAMES = ("display_name", "exposed_port", "status", "service_slug", "slug-unique")
MEANT = {
    "displayname": "did you mean display_name?",
    "displayName": "did you mean display_name?",
    "DISPLAY_NAME": "did you mean display_name?",
    "port": "did you mean exposed_port?",
    "service_status": "did you mean status?",
    "slug-uniqe": "did you mean slug-unique?",
    "zzz": "",
    "display_name" * 100: "",
}


@pytest.mark.parametrize(("name", "suggestion"), MEANT.items(), ids=[name[:20] for name in MEANT])
def test_the_closest_name_is_suggested(name: str, suggestion: str) -> None:
    """Letter case does not count; a name that is far off or very long has no suggestion."""
    assert suggest_name(name, NAMES) == suggestion


@pytest.mark.parametrize(("name", "meant"), [("code", ""), ("bdoy", "did you mean body?")])
def test_half_of_a_short_name_suggests_nothing(name: str, meant: str) -> None:
    """A name that shares two of four characters with another is no misspelling of it."""
    assert suggest_name(name, ("status", "body")) == meant
