"""The calibration of a WSGI app in process, compared with the options that it truly has."""

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_tests.calibration.learner import Calibration, calibrate
from contract_tests.calibration.probing.limits import MAX_CREATED, MAX_REQUESTS
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.targets.wsgi import WsgiTarget
from examples.deployment.choices import DEFAULT, USUAL, VARIANTS, Choices
from mock_server import create_app
from tests.support.gate.gate import EXAMPLE_HOOK, App, spec
from tests.support.gate.messages import known
from tests.support.gate.planting import served

SETS = {"default": DEFAULT, "usual": USUAL, **VARIANTS}
#: The option of a deployment whose bodies have no limit, and the size of the largest body of a calibration.
NO_LIMIT, LARGEST_SENT = 1_073_741_824, 4 * 1024 * 1024
_CREDENTIAL_CHOICES = ("credential-forms", "credential-capitals", "credential-versions")
#: What nobody can see of a deployment, by what it chose: the field of its choices, the value, and the unseen choices.
_HIDDEN: tuple[tuple[str, object, frozenset[str]], ...] = (
    ("unknown_properties", "refused", frozenset({"deep-bodies"})),
    ("max_body_bytes", None, frozenset({"too-large-status"})),
    (
        "readback",
        False,
        frozenset({"absent-values", "unused-docker-image", "repeated-items", "repeated-env-names"}),
    ),
    ("error_body", "empty", frozenset({"reported-violations"})),
    ("known_credentials", frozenset(), frozenset({"credential-on-deployed", *_CREDENTIAL_CHOICES})),
    ("external_docker_image_update_refused", True, frozenset({"unused-docker-image"})),
)


def build_mock() -> App:
    """Return a mock whose contract is loaded once for all tests."""
    return create_app(spec=served(), callers=known())


def build_broken_mock() -> App:
    """Return a mock that takes any port."""
    return create_app(disabled_rules={"exposed-port-range"})


def calibrate_app(app: App, hook: str | None = EXAMPLE_HOOK) -> Calibration:
    """Return what is learnt of an app, with the limits of the command."""
    options = ExecutorOptions(control_hook=hook, spec=spec(), max_created=MAX_CREATED)
    return calibrate(open_executor(WsgiTarget(app), options=options))


def find_wrong(calibration: Calibration, true: Mapping[str, Any]) -> dict[str, str]:
    """Return the options that were learnt otherwise than they are, each with its evidence.

    Of a body without a limit the size of the largest one that was sent is learnt.
    """
    known = {**true}
    if known.get("largest-body") == NO_LIMIT:
        known["largest-body"] = LARGEST_SENT
    return {
        name: f"{one.option}, not {known[name]}: {one.evidence}"
        for name, one in calibration.seen.items()
        if name in known and one.option != known[name]
    }


def is_within_limits(calibration: Calibration) -> bool:
    """Return whether a calibration kept its limits."""
    return calibration.requests <= MAX_REQUESTS and calibration.created <= MAX_CREATED


def list_hidden(choices: Choices) -> set[str]:
    """Return the choices of a deployment that nobody can see."""
    return {name for field, value, names in _HIDDEN if getattr(choices, field) == value for name in names}


def iter_mixtures(count: int, seed: int = 0) -> Iterator[tuple[str, Choices]]:
    """Yield random pairs and triples of variants, each with a name."""
    source = random.Random(seed)
    changed = {name: _list_changes(choices) for name, choices in VARIANTS.items()}
    for number in itertools.count():
        if number == count:
            return
        names = source.sample(sorted(VARIANTS), 2 + number % 2)
        mixed: dict[str, Any] = {}
        for name in names:
            mixed |= changed[name]
        yield "+".join(names), replace(DEFAULT, **mixed)


def _list_changes(choices: Choices) -> dict[str, Any]:
    names = (name for name in DEFAULT.__dataclass_fields__)
    return {name: value for name in names if (value := getattr(choices, name)) != getattr(DEFAULT, name)}
