"""Value templates and new slugs."""

import pytest

from contract_tests.cases.value_templates import SlugFactory, fill_templates
from contract_tests.generation.oracle import predict


def test_slugs_are_fresh_and_valid() -> None:
    """No slug comes twice, each is valid by the oracle, and a length that is asked for is kept."""
    slugs = SlugFactory("team-x-")
    made = [slugs.new_slug() for _ in range(2000)] + [slugs.new_slug(length) for length in (50, 99, 100)]
    assert len(set(made)) == len(made)
    wrong = [
        s
        for s in made
        if any("slug" in rule for rule in predict("createContainer", {"service_slug": s}).broken_rules)
    ]
    assert wrong == []
    assert [len(slugs.new_slug(length)) for length in (3, 4, 30, 100)] == [3, 4, 30, 100]


@pytest.mark.parametrize("prefix", ["-a", "A", "", "a" * 41, "a_"])
def test_a_prefix_that_begins_no_slug_is_refused(prefix: str) -> None:
    """A slug prefix with which no valid slug can begin is refused."""
    with pytest.raises(ValueError, match="cannot start a slug"):
        SlugFactory(prefix)


def test_made_values_are_filled_in() -> None:
    """Texts are counted in code points, and made values are found at any depth."""
    value = {
        "a": [{"$text": {"start": "é", "fill": "\U0001f600", "length": 3}}],
        "b": {"$repeat": {"value": 1, "count": 2}},
    }
    assert fill_templates(value, lambda _: "slug") == {"a": ["é\U0001f600\U0001f600"], "b": [1, 1]}
