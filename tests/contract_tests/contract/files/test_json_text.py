"""JSON texts are read alike on every version of Python."""

import json

import pytest

from contract_tests.contract.files.json_text import MAX_DEPTH, TooDeepError, parse_json


def nest(levels: int, opening: str, closing: str) -> str:
    """Return a text of that many levels, with brackets in a string that are none."""
    return opening * levels + '"[[[{{{"' + closing * levels


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}"), ('[{"a": ', "}]")])
def test_a_text_has_a_bound_of_depth(opening: str, closing: str) -> None:
    """As many levels as the bound are read, one more is not, nor thousands; as text or as bytes."""
    most = MAX_DEPTH // opening.replace('{"', "[").count("[")
    text = nest(most, opening, closing)
    assert parse_json(text) == parse_json(text.encode()) == json.loads(text)
    for levels in (most + 1, 900, 5_000, 200_000):
        for deep in (nest(levels, opening, closing), nest(levels, opening, closing).encode()):
            with pytest.raises(TooDeepError, match="nested too deeply"):
                parse_json(deep)


def test_many_values_beside_each_other_are_not_deep() -> None:
    """Brackets are counted only as far as they hold each other."""
    assert len(parse_json("[" + "[],{}," * 1_000 + "1]")) == 2_001


def test_what_is_no_json_is_a_value_error() -> None:
    """A text that is no JSON, and a constant that a hook refuses, raise ValueError."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    for text in ("", "[", b"\xff", "NaN"):
        with pytest.raises(ValueError, match=r"."):
            parse_json(text, parse_constant=refuse)
