"""The properties layer: what Schemathesis makes of the contract, judged by the oracle.

Schemathesis says of each body whether it means it to be valid. The oracle says so too, from the facts, and knows
what the pages leave open: its opinion decides, and ``EXCEPTIONS`` names the reasons for which the two may differ.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from contract_tests.cases.model import NO_SLUG, SHARED, Case, Expect, Step
from contract_tests.contract.spec import Spec
from contract_tests.generation.bodies import Sample, corpus
from contract_tests.generation.body_mutation import Pool
from contract_tests.generation.oracle import Opinion, opinion

GATE_EXAMPLES = 10  # random bodies per operation and mode; with more, Schemathesis' coverage phase joins in
_DRAWN, _RECOMBINED = 5, 1500  # of a later round: per operation and mode, and in all
_BODIES_PER_CALL, _BODIES_PER_TRACE = 5, 40
_TYPES = ("deployed", "external")
_ANSWERS = {"createContainer": "created", "updateContainer": "updated"}

# Why a body that Schemathesis calls valid may be refused by the facts: rules that no schema of one body can say.
EXCEPTIONS = frozenset({"external-url-on-external-only", "external-credential-on-external-only"})


@dataclass(frozen=True, slots=True)
class Round:
    """Bodies that are made and sent together: ``examples`` are drawn for each operation and mode.

    ``recombined`` more are put together of their parts. What is ``shared`` all shards make, and each plays its part.
    """

    seed: int
    examples: int
    coverage: bool = False
    recombined: int = 0
    shared: bool = True

    @property
    def calls(self) -> int:
        """How many calls with another caller, header or text go with the bodies."""
        return self.recombined // _BODIES_PER_CALL

    @property
    def traces(self) -> int:
        """How many random traces go with the bodies."""
        return self.recombined // _BODIES_PER_TRACE

    def cases(self, spec: Spec, pool: Callable[[], Pool]) -> list[Case]:
        """Return a case per body; the same seed and contract make the same cases."""
        samples = corpus(spec, self.seed, self.examples, coverage=self.coverage, keep=self.shared)
        if self.recombined:
            samples += pool().recombined(samples, self.recombined, self.seed)
        return [
            property_case(sample, f"{self.seed}-{number}", _TYPES[number // 2 % 2])
            for number, sample in enumerate(samples)
        ]


def rounds(seed: int, examples: int, shard: tuple[int, int], *, endless: bool) -> Iterator[Round]:
    """Yield the rounds of a run: as many bodies as ``examples`` of each operation and mode, or no end of them.

    The first is the gate's. Later ones have seeds of their own, of which a shard takes every n-th.
    """
    yield Round(seed, min(examples, GATE_EXAMPLES))
    if not endless and examples <= GATE_EXAMPLES:
        return
    yield Round(seed, 0, coverage=True)
    left = 4 * (examples - GATE_EXAMPLES)
    index, of = shard
    for turn in count(1):
        if not endless and left <= 0:
            return
        most = _RECOMBINED if endless else min(_RECOMBINED, max(0, left - 4 * _DRAWN))
        left -= most + 4 * _DRAWN
        if turn % of == index - 1:
            yield Round(seed + turn, _DRAWN, recombined=most, shared=False)


def property_case(sample: Sample, name: str, stored: str) -> Case:
    """Return the case of one sample; ``stored`` is the type of the service that an update goes to."""
    short = "create" if sample.operation == "createContainer" else "update"
    identifier = f"property/{short}-{sample.phase}-{name}"
    value, raw = sample.value, None
    if sample.raw is not None:
        data = base64.b64decode(sample.raw)
        value, raw = _parsed(data), {"$bytes": sample.raw}
        if value is _NO_JSON:
            # Without a body an update may be read as changing nothing.
            expect: Expect = "open" if not data and short == "update" else "refuse"
            step = Step(sample.operation, raw=raw, service=SHARED + stored, expect=expect)
            return Case(identifier, "body-json", "properties", (step,))
    case = Case(identifier, "body-json", "properties", (Step(sample.operation, service=SHARED + stored),))
    return labelled(case, value)


def labelled(case: Case, body: Any) -> Case:
    """Return the case with another body, judged anew by the oracle."""
    step = case.steps[0]
    stored = step.service.removeprefix(SHARED)
    said = opinion(step.operation, body, stored)
    step = replace(step, body=body, as_is=True, expect=said.expect)
    if step.operation == "createContainer" and isinstance(body, dict):
        if body.get("service_slug") is None:
            step = replace(step, slug=NO_SLUG)
        elif not any(rule.startswith("service-slug") for rule in said.broken):
            step = replace(step, slug=None, body={k: v for k, v in body.items() if k != "service_slug"})
        else:
            step = replace(step, slug=None)
    return replace(case, rule=_blamed(step, said, body), steps=(step,))


def _blamed(step: Step, said: Opinion, body: Any) -> str:
    """Name the rule that speaks: the broken one, or that of the one property that is there beside the least."""
    if said.broken:
        return min(said.broken)
    least = {"service_slug", "display_name", "docker_image", "external_url", "service_type"}
    more = (
        sorted(set(body) - (least if step.operation == "createContainer" else set()))
        if isinstance(body, dict)
        else []
    )
    if len(more) == 1 and more[0] in _TYPED:
        return _TYPED[more[0]]
    return _ANSWERS[step.operation]


_TYPED = {
    name: name.replace("_", "-") + "-type"
    for name in (
        "display_name", "service_desc", "docker_image", "external_url", "exposed_port", "health_path", "env_config",
        "volume_config", "required_labels", "gpu_count", "replica_count", "usage_prompt", "openapi_url",
    )
} | {"external_auth_credential_id": "external-credential-type"}  # fmt: skip

_NO_JSON = object()


def _parsed(raw: bytes) -> Any:
    def refuse(_constant: str) -> None:
        raise ValueError

    try:
        return json.loads(raw.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return _NO_JSON
