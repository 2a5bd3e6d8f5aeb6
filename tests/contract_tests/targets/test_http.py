"""The base URL of a target."""

import pytest

from contract_tests.targets.base import TargetError
from contract_tests.targets.http import HttpTarget


@pytest.mark.parametrize(
    "url",
    [
        "http://me:secret@h/api",
        "http://me@h/api",
        "ftp://h/api",
        "http://h/api?a=1",
        "h",
        "http://[::1/api",
        "http://me:secret@[::1/api",
        "http://me:secret@h:x/api",
        "me:secret@h/api",
        "ftp://me:secret@h",
        "http://h:99999/api",
        "http://h:x/api",
        "http://:80/api",
    ],
)
def test_an_unusable_base_url_is_one_sentence(url: str) -> None:
    """A URL with a user, another scheme or a query is refused; neither password nor query is repeated."""
    with pytest.raises(TargetError) as caught:
        HttpTarget(url)
    shown = url.replace("?a=1", "?…")
    assert str(caught.value).startswith(("--target ", repr(shown)))
    assert "secret" not in str(caught.value)
