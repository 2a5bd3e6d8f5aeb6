"""Bodies drawn by Schemathesis: drawn once per contract, seed and size, stored as data, then replayed."""

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from contract_tests.cases.model import OperationId
from contract_tests.contract.spec import Spec
from contract_tests.generation import cache
from contract_tests.generation.schema_view import build_generation_view

_FORMAT = 1  # of the file; raise it to replace the samples in users' caches


Phase = Literal["coverage", "fuzzing", "recombined"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One generated body: a JSON value, or bytes in base64 where it is deliberately not JSON.

    ``positive`` is Schemathesis' own prediction, independent of the oracle's; None where it makes none.
    """

    operation: OperationId
    phase: Phase
    positive: bool | None
    value: Any = None
    raw: str | None = None


def load_samples(spec: Spec, seed: int, examples: int, *, coverage: bool, store: bool = True) -> list[Sample]:
    """Return ``examples`` samples of each operation and mode; ``coverage`` adds the coverage phase.

    Shipped samples come first, then the user's cache, then new ones, which ``store`` adds to the cache.
    """
    view = build_generation_view(spec)
    if not store:
        return list(_generate_samples(view, seed, examples, coverage=coverage))
    name = cache.build_name("corpus", _FORMAT, view, seed, examples, coverage)
    known = cache.load_values(name)
    if known is not None:
        return [Sample(**sample) for sample in known]
    samples = list(_generate_samples(view, seed, examples, coverage=coverage))
    cache.save_values(name, map(asdict, samples))
    return samples


def freeze_samples(spec: Spec, seed: int, examples: int) -> None:
    """Write the samples that are shipped for the gate, unless those of this contract are there.

    Hypothesis also draws constants of the code, so that every edit of the code would draw other samples.
    """
    view = build_generation_view(spec)
    name = cache.build_name("corpus", _FORMAT, view, seed, examples, False)
    if (cache.SHIPPED_FOLDER / name).exists():
        return
    for old in cache.SHIPPED_FOLDER.glob("corpus-*.jsonl"):
        old.unlink()
    samples = _generate_samples(view, seed, examples, coverage=False)
    cache.save_values(name, map(asdict, samples), cache.SHIPPED_FOLDER)


def _generate_samples(view: dict[str, Any], seed: int, examples: int, *, coverage: bool) -> Iterator[Sample]:
    # Loads Schemathesis (a third of a second), which a run that replays never needs.
    from contract_tests.generation.schemathesis_internals import generate_bodies

    for body in generate_bodies(view, seed, examples, coverage=coverage):
        yield _build_sample(body.operation, body.phase, body.value, positive=body.positive)


def _build_sample(operation: OperationId, phase: Phase, body: Any, *, positive: bool) -> Sample:
    try:
        return Sample(operation, phase, positive, value=json.loads(json.dumps(body)))
    except (TypeError, ValueError):
        data = getattr(body, "data", body)
        raw = data if isinstance(data, bytes) else b""
        return Sample(operation, phase, positive, raw=base64.b64encode(raw).decode("ascii"))
