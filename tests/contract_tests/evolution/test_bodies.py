"""Bodies that two contracts accept, and values to try."""

from typing import Any

import pytest

from contract_tests.evolution.bodies import CREATE, UPDATE, BodyWriter
from contract_tests.evolution.values import draw_texts, list_values
from tests.contract_tests.evolution.conftest import PLAIN, build_contract, change_schemas


def open_writer(new: dict[str, Any], seed: int = 0) -> BodyWriter:
    """Return a writer of bodies for the packaged contract and another one."""
    return BodyWriter(build_contract(PLAIN).operations, build_contract(new).operations, seed)


def require_region(schemas: dict[str, Any]) -> None:
    """Require another property of both operations, and forbid further ones."""
    for name in ("ServiceCreate", "ServiceUpdate"):
        schemas[name]["properties"]["region"] = {"type": "string", "enum": ["eu", "us"]}
        schemas[name]["required"] = [*schemas[name]["required"], "region"]


def shorten_names(schemas: dict[str, Any]) -> None:
    """Allow short names only, so that the plain one is too long."""
    schemas["DisplayName"]["maxLength"] = 3


def slug_of(pattern: str) -> Any:
    """Return a change of the pattern of a slug."""
    return lambda schemas: schemas["ServiceSlug"].update(pattern=pattern)


@pytest.mark.parametrize(
    "change",
    [require_region, shorten_names, slug_of("^[a-z]{3,20}$"), slug_of("^[0-9]{3,20}$"), slug_of("^svc-[a-z]{4}$")],
    ids=["property", "length", "letters", "digits", "prefix"],
)  # fmt: skip
def test_a_body_that_both_contracts_accept_is_found(change: Any) -> None:
    """The plain body is changed until both schemas accept it, for both operations and types."""
    writer = open_writer(change_schemas(change))
    for operation in (CREATE, UPDATE):
        for service_type in ("deployed", "external"):
            (body,) = writer.list_bases(operation, service_type)  # type: ignore[arg-type]
            assert writer.judge(operation, body) == (True, True)


def test_contracts_without_a_common_body_have_one_each() -> None:
    """Without a body that both accept, there is one for each contract."""
    writer = open_writer(
        change_schemas(lambda schemas: schemas["DisplayName"].update(minLength=300, maxLength=400))
    )
    assert [writer.judge(CREATE, body) for body in writer.list_bases(CREATE, "deployed")] == [
        (True, False),
        (False, True),
    ]
    assert writer.find_base("deployed") is None


def test_each_body_has_a_slug_of_its_own() -> None:
    """No two bodies have the same slug, which would be taken the second time."""
    writer = open_writer(PLAIN)
    slugs = [writer.list_bases(CREATE, "deployed")[0]["service_slug"] for _ in range(50)]
    assert len(set(slugs)) == 50


def test_texts_of_a_pattern_are_the_same_for_a_seed() -> None:
    """Equal seeds draw equal texts, other seeds others; a pattern that Python cannot read gives none."""
    draw_texts.cache_clear()
    first = draw_texts("^[a-z]{4,9}$", 1)
    draw_texts.cache_clear()
    assert draw_texts("^[a-z]{4,9}$", 1) == first
    assert draw_texts("^[a-z]{4,9}$", 2) != first
    assert draw_texts(r"^\p{Lu}$", 1) == ()


def test_values_reach_into_items() -> None:
    """A text within an item of an array is replaced, too, and an item gets one more property."""
    item = {"type": "object", "properties": {"name": {"type": "string"}}}
    values = list_values("env_config", [{"type": "array", "items": item}], [[{"name": "A"}]], 0)
    assert [{"name": "caf\u00e9"}] in values
    assert [{"name": "A", "extra_property": "x"}] in values


def test_huge_bounds_are_not_tried() -> None:
    """A bound of a thousand million characters or items makes no value of that size."""
    schemas: list[dict[str, Any]] = [
        {"type": "string", "minLength": 10**9},
        {"type": "array", "minItems": 10**9},
    ]
    for schema in schemas:
        assert max(len(str(value)) for value in list_values("x", [schema], [], 0)) < 10**7
