"""Value templates and new slugs."""

from typing import Any

import pytest

from contract_tests.cases.value_templates import SlugFactory, fill_templates, freshen
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


INVALID_SLUGS = (
    "Upper",
    "lower-casE",
    "under_score",
    "-leading",
    "trailing-",
    "two\nlines",
    "newline\n",
    " blank",
    "a",
    "ab",
)


@pytest.mark.parametrize(
    "slug", [*INVALID_SLUGS, "a" * 101, "é" * 50, 8080, 1.5, ["a-slug"], {"slug": "a"}], ids=repr
)
def test_an_invalid_slug_is_fresh_with_the_same_fault(slug: Any) -> None:
    """A freshened slug differs each time, and breaks the same rules as the original."""
    slugs = SlugFactory()
    fresh = [freshen(slug, slugs.new_slug()) for _ in range(6)]
    assert len({repr(value) for value in [*fresh, slug]}) >= 4
    rules = {predict("createContainer", {"service_slug": value}).broken_rules for value in [slug, *fresh]}
    assert len(rules) == 1


@pytest.mark.parametrize("slug", INVALID_SLUGS)
def test_a_fresh_slug_keeps_its_ends(slug: str) -> None:
    """The first and the last character stay, since the fault may be there."""
    fresh = freshen(slug, "ck-0123456789ab0001")
    plain = "abcdefghijklmnopqrstuvwxyz"
    assert len(slug) <= 2 or (fresh[0], fresh[-1]) == (slug[0], slug[-1])
    assert {c for c in fresh if c not in plain and not c.isdigit()} == {c for c in slug if c not in plain}


def test_slugs_with_a_seed_are_the_same_each_time() -> None:
    """Two factories with one seed give the same slugs, also short ones; without a seed they differ."""
    first, second = (SlugFactory("ck-", seed=7) for _ in range(2))
    assert [first.new_slug(), first.new_slug(3)] == [second.new_slug(), second.new_slug(3)]
    assert SlugFactory().new_slug() != SlugFactory().new_slug()
