"""Value templates and new slugs."""

import pytest

from contract_tests.cases.value_templates import SlugFactory, fill_templates
from contract_tests.generation.oracle import predict


def test_slugs_are_unique_and_valid() -> None:
    """Slugs are unique, valid by the oracle, and as long as requested."""
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
def test_invalid_slug_prefix_is_refused(prefix: str) -> None:
    """A prefix with which no valid slug can start is refused."""
    with pytest.raises(ValueError, match="cannot start a slug"):
        SlugFactory(prefix)


def test_templates_are_filled_in() -> None:
    """Text lengths count code points, and templates are filled in at any depth."""
    value = {
        "a": [{"$text": {"start": "é", "fill": "\U0001f600", "length": 3}}],
        "b": {"$repeat": {"value": 1, "count": 2}},
    }
    assert fill_templates(value, lambda _: "slug") == {"a": ["é\U0001f600\U0001f600"], "b": [1, 1]}
