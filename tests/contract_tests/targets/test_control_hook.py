"""The control hook's URL."""

import pytest

from contract_tests.targets.base import TargetError
from contract_tests.targets.control_hook import ControlHook
from contract_tests.targets.http import HttpTarget


@pytest.mark.parametrize(
    "template",
    [
        "http://[::1/{id}{status}",
        "http://h:99999/{id}{status}",
        "http://h:port/{id}{status}",
        "ftp://h/{id}{status}",
        "PUT h/{id}/{status}",
        "http://me:secret@h/{id}/{status}",
        "http://h/{id}",
    ],
)
def test_an_unusable_url_names_the_option(template: str) -> None:
    """The error is one sentence about --control-hook, and a password is not repeated."""
    with pytest.raises(TargetError) as caught:
        ControlHook(template, HttpTarget("http://h/api"))
    assert str(caught.value).startswith("--control-hook ")
    assert "secret" not in str(caught.value)


def test_a_path_belongs_to_the_host_of_the_target() -> None:
    """A path and a URL are both usable."""
    for template in ("/{id}/{status}", "PUT https://h:1/{id}/{status}"):
        ControlHook(template, HttpTarget("http://h/api"))
