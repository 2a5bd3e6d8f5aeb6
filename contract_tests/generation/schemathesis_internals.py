"""Every use of Schemathesis, public and private: the only module that has to follow its releases."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as use_seed
from hypothesis.configuration import set_hypothesis_home_dir
from platformdirs import user_cache_path
from schemathesis import GenerationMode
from schemathesis.specs.openapi.coverage._operation import iter_coverage_cases

#: The series in which the private import above was last seen; pyproject.toml has the same upper bound.
SUPPORTED_SERIES = "4.32"
_ANY_SERVICE_ID = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class GeneratedBody:
    """One body as Schemathesis generated it; ``positive`` is true where it means the body to be valid."""

    operation: Any
    phase: Literal["coverage", "fuzzing"]
    value: Any
    positive: bool


def generate_bodies(
    document: dict[str, Any], seed: int, examples: int, *, coverage: bool
) -> Iterator[GeneratedBody]:
    """Yield ``examples`` drawn bodies of each operation and mode, and with ``coverage`` the coverage phase's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Schemathesis warns about its own settings
        schema: Any = schemathesis.openapi.from_dict(document)
        for result in schema.get_all_operations():
            operation = result.ok()
            name = operation.definition.raw["operationId"]
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if examples else ():
                for body in _draw_bodies(operation, mode, seed, examples):
                    yield GeneratedBody(name, "fuzzing", body, mode.is_positive)
            if coverage:
                for case in _iter_coverage(operation):
                    positive = case.meta.generation.mode.is_positive
                    yield GeneratedBody(name, "coverage", case.body, positive)


def _draw_bodies(operation: Any, mode: Any, seed: int, examples: int) -> list[Any]:
    # Hypothesis would otherwise create a folder in the user's working directory.
    set_hypothesis_home_dir(user_cache_path("cyberun-contract-kit") / "hypothesis")
    bodies: list[Any] = []
    path = {"serviceId": _ANY_SERVICE_ID} if "{" in operation.path else None
    strategy = operation.as_strategy(generation_mode=mode, path_parameters=path)

    @use_seed(seed)
    @settings(
        max_examples=examples, phases=[Phase.generate], database=None, deadline=None, derandomize=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def draw(case: Any) -> None:
        bodies.append(case.body)

    draw()
    return bodies


def _iter_coverage(operation: Any) -> Iterator[Any]:
    yield from iter_coverage_cases(
        operation=operation,
        generation_modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE],
        generate_duplicate_query_parameters=False,
        unexpected_methods=set(),
        generation_config=operation.schema.config.generation,
    )
