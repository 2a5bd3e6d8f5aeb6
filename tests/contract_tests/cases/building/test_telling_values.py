"""Telling values: what a deployment alters when it stores a text shows in the read-back."""

import html

import pytest

from contract_tests.cases.building.telling_values import TELLING_VALUES

TEXTS = [name for name, values in TELLING_VALUES.items() if isinstance(values[0], str)]


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "external_auth_credential_id"])
def test_a_text_that_is_escaped_as_html_shows(name: str) -> None:
    """Each property of texts has a value that the escapes of HTML change, such as one with an ampersand."""
    assert any(html.escape(value) != value for value in TELLING_VALUES[name])
