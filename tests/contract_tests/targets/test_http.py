"""The base URL of a target."""

import pytest

from contract_tests.targets.base import TargetError
from contract_tests.targets.http import HttpTarget


@pytest.mark.parametrize(
    "url", ["http://me:secret@h/api", "http://me@h/api", "ftp://h/api", "http://h/api?a=1", "h"]
)
def test_an_unusable_base_url_is_one_sentence(url: str) -> None:
    """A URL with a user name or password, another scheme or a query is refused, and the password is not repeated."""
    with pytest.raises(TargetError) as caught:
        HttpTarget(url)
    assert "secret" not in str(caught.value)
