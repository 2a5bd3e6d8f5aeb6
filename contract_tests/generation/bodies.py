"""Bodies made by Schemathesis, kept as data: made once per contract, seed and size, then replayed."""

import base64
import json
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from platformdirs import user_cache_path

from contract_tests.cases.model import Operation
from contract_tests.contract.spec import Spec
from contract_tests.generation import cache
from contract_tests.generation.schema_view import generation_view

_FORMAT = 1  # of the file; also raised where better samples should replace those in the users' caches
_NOWHERE = "00000000-0000-7000-8000-000000000000"


Phase = Literal["coverage", "fuzzing", "recombined"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One generated body: a JSON value, or bytes (base64) where it is not meant to be one.

    ``positive`` is Schemathesis' own opinion of it, a second one beside the oracle's; None where it has none.
    """

    operation: Operation
    phase: Phase
    positive: bool | None
    value: Any = None
    raw: str | None = None


def corpus(spec: Spec, seed: int, examples: int, *, coverage: bool, keep: bool = True) -> list[Sample]:
    """Return the samples: ``examples`` of each operation and mode, and the boundaries of the coverage phase.

    They are looked for beside this module (those of the gate are shipped), then in the user's cache, and made
    where they are in neither. ``keep`` puts what is made into the cache.
    """
    view = generation_view(spec)
    if not keep:
        return list(_generate(view, seed, examples, coverage=coverage))
    name = cache.named("corpus", _FORMAT, view, seed, examples, coverage)
    known = cache.recalled(name)
    if known is not None:
        return [Sample(**sample) for sample in known]
    samples = list(_generate(view, seed, examples, coverage=coverage))
    cache.keep(name, map(asdict, samples))
    return samples


def freeze(spec: Spec, seed: int, examples: int) -> None:
    """Write the samples of the gate anew, to be shipped."""
    view = generation_view(spec)
    for old in cache.SHIPPED.glob("corpus-*.jsonl"):
        old.unlink()
    name = cache.named("corpus", _FORMAT, view, seed, examples, False)
    cache.keep(name, map(asdict, _generate(view, seed, examples, coverage=False)), cache.SHIPPED)


def _generate(view: dict[str, Any], seed: int, examples: int, *, coverage: bool) -> Iterator[Sample]:
    import schemathesis  # a third of a second, which a run that replays does without
    from schemathesis import GenerationMode

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, about their own settings
        schema: Any = schemathesis.openapi.from_dict(view)
        for result in schema.get_all_operations():
            operation = result.ok()
            name = operation.definition.raw["operationId"]
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if examples else ():
                for body in _drawn(operation, mode, seed, examples):
                    yield _sample(name, "fuzzing", body, positive=mode.is_positive)
            if coverage:
                for case in _covering(operation):
                    yield _sample(name, "coverage", case.body, positive=case.meta.generation.mode.is_positive)


def _drawn(operation: Any, mode: Any, seed: int, examples: int) -> list[Any]:
    from hypothesis import HealthCheck, given, settings
    from hypothesis import Phase as Step
    from hypothesis import seed as seeded
    from hypothesis.configuration import set_hypothesis_home_dir

    set_hypothesis_home_dir(user_cache_path("cyberun-contract-kit") / "hypothesis")  # not the user's folder
    bodies: list[Any] = []
    path = {"serviceId": _NOWHERE} if "{" in operation.path else None
    strategy = operation.as_strategy(generation_mode=mode, path_parameters=path)

    @seeded(seed)
    @settings(
        max_examples=examples, phases=[Step.generate], database=None, deadline=None, derandomize=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def draw(case: Any) -> None:
        bodies.append(case.body)

    draw()
    return bodies


def _covering(operation: Any) -> Iterator[Any]:
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.coverage._operation import iter_coverage_cases

    yield from iter_coverage_cases(
        operation=operation,
        generation_modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE],
        generate_duplicate_query_parameters=False,
        unexpected_methods=set(),
        generation_config=operation.schema.config.generation,
    )


def _sample(operation: Operation, phase: Phase, body: Any, *, positive: bool) -> Sample:
    try:
        return Sample(operation, phase, positive, value=json.loads(json.dumps(body)))
    except (TypeError, ValueError):
        data = getattr(body, "data", body)
        raw = data if isinstance(data, bytes) else b""
        return Sample(operation, phase, positive, raw=base64.b64encode(raw).decode("ascii"))
