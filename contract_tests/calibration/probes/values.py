"""Probes of the values of an update: accepted or refused, beside valid values that are accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from contract_tests.calibration.prober import Prober
from contract_tests.calibration.probes import faults
from contract_tests.calibration.sighting import (
    Answer,
    CannotSee,
    Sighting,
    find_reaction,
    require_reaction,
    see,
    see_status,
)
from contract_tests.contract.property_rules import find_nearest_rule

Values = Mapping[str, Any]
_ENV, _VOLUME = {"env_name": "MODE", "env_value": "test"}, {"host_path": "/srv/data", "container_path": "/data"}


@dataclass(frozen=True, slots=True)
class Trial:
    """Values of which an update has one each or all, and the valid values beside which a refusal counts.

    ``rule`` is the one that a server error breaks.
    """

    values: tuple[Values, ...]
    control: Values = field(default_factory=dict)
    rule: str = "updated"
    kind: str = "deployed"

    def run(self, prober: Prober) -> list[Answer]:
        """Return the answers, which have the same reaction: to all values at once, or to each alone."""
        for name, value in self.control.items():
            rule = find_nearest_rule("updateContainer", name, value)
            control = prober.update(body={name: value}, service=self.kind, rule=rule, expect="accept")
            require_reaction(control, "accepted")
        whole = {name: value for values in self.values for name, value in values.items()}
        if len(whole) == len(self.values):  # no value takes the place of another
            answer = self._ask(prober, whole)
            if len(self.values) == 1 or answer.reaction == "accepted":
                find_reaction([answer])
                return [answer]
        answers = [self._ask(prober, values) for values in self.values]
        find_reaction(answers)
        return answers

    def _ask(self, prober: Prober, values: Values) -> Answer:
        return prober.update(body=values, service=self.kind, rule=self.rule)


TRIALS = {
    "nul-characters": Trial(({"service_desc": "a\0b"},), {"service_desc": "ab"}, "body-text"),
    "integral-floats": Trial(
        ({"exposed_port": 8080.0}, {"gpu_count": 1.0}, {"replica_count": 2.0}),
        {"exposed_port": 8080, "gpu_count": 1, "replica_count": 2},
        "exposed-port-type",
    ),
    "unknown-properties": Trial(({"x_calibration": "unknown"},), {}, "unknown-properties-ignored"),
    "unknown-item-properties": Trial(
        ({"env_config": [{**_ENV, "x_calibration": "a"}]}, {"volume_config": [{**_VOLUME, "x_calibration": "a"}]}),
        {"env_config": [_ENV], "volume_config": [_VOLUME]},
    ),
    "gpu-count-below-minus-one": Trial(({"gpu_count": -2},), {"gpu_count": -1}, "gpu-count-range"),
    "env-name": Trial(({"env_config": [{"env_value": "test"}]},), {"env_config": [_ENV]}, "env-name-required"),
    "env-value": Trial(({"env_config": [{"env_name": "MODE"}]},), {"env_config": [_ENV]}, "env-value-required"),
    "host-path": Trial(
        ({"volume_config": [{"container_path": "/data"}]},), {"volume_config": [_VOLUME]}, "host-path-required"
    ),
    "container-path": Trial(
        ({"volume_config": [{"host_path": "/srv/data"}]},), {"volume_config": [_VOLUME]}, "container-path-required"
    ),
    "private-hosts": Trial(
        ({"external_url": "https://10.0.0.1/"}, {"external_url": "https://localhost/"}),
        {"external_url": "https://fixture.example.com/api"},
        "external-url-format",
        "external",
    ),
    "urls-without-host": Trial(
        ({"external_url": "https://"},),
        {"external_url": "https://fixture.example.com/api"},
        "external-url-format",
        "external",
    ),
}
_IMMUTABLE_KEPT = {"service_slug": "slug-immutable", "service_type": "service-type-immutable"}


def try_values(prober: Prober, choice: str, accepted: str, refused: str) -> Sighting:
    """See a choice by the trial of its name; ``accepted`` and ``refused`` are its options."""
    answers = TRIALS[choice].run(prober)
    return see(accepted if find_reaction(answers) == "accepted" else refused, answers)


def unknown_credentials(prober: Prober) -> Sighting:
    """See whether an external service takes a credential that nobody stored."""
    credential = prober.remember("credential", str(uuid4()))
    answer = prober.update(
        "with an unknown credential",
        {"external_auth_credential_id": credential},
        service="external",
        rule="external-credential-format",
    )
    return see(find_reaction([answer]), [answer])


def invalid_body_status(prober: Prober) -> Sighting:
    """See the status of wrong values: out of range, of another type, left out, and no object at all."""
    valid = prober.update(body={"display_name": "Fixture"}, rule="display-name-type", expect="accept")
    require_reaction(valid, "accepted")
    answers = [
        faults.ask(prober, faults.INVALID_VALUE),
        prober.update(body={"display_name": 7}, rule="display-name-type", expect="refuse"),
        prober.update("with []", raw="[]", rule="body-object", expect="refuse"),
        prober.create(
            "without display_name", without="display_name", rule="display-name-required", expect="refuse"
        ),
    ]
    return see_status(answers)


def null_on_update(prober: Prober) -> Sighting:
    """See whether null is an absent value: then the update keeps what was stored."""
    stored: Values = {"service_desc": "Kept", "health_path": "/kept", "required_labels": ["kept"]}
    control = prober.update(body=stored, rule="updated", expect="accept")
    require_reaction(control, "accepted")
    answers = Trial(tuple({name: None} for name in stored)).run(prober)
    if find_reaction(answers) == "refused":
        return see("refused", answers)
    if not prober.executor.readback:
        return see("absent", answers, "medium")
    shown = prober.read()
    if any(shown.get(name) != value for name, value in stored.items()):
        raise CannotSee(f"{answers[0].tell()}, and it did not keep what was stored")
    return see("absent", answers)


def immutable_properties(prober: Prober) -> Sighting:
    """See whether the slug and the type may be named on update; naming them must have no effect."""
    slug = prober.remember("other slug", prober.executor.controls.slugs.new_slug())
    answers = Trial(({"service_slug": slug}, {"service_type": "external"}), rule="slug-immutable").run(prober)
    if find_reaction(answers) == "refused":
        return see("refused", answers)
    if not prober.executor.readback:
        return see("ignored", answers, "medium")
    kept = {"service_slug": prober.find_shared("deployed").slug, "service_type": "deployed"}
    for name, value in kept.items():
        prober.require_stored(_IMMUTABLE_KEPT[name], {name: value})
    return see("ignored", answers)


def repeated_items(prober: Prober) -> Sighting:
    """See whether an item that an array holds twice is kept, merged or refused."""
    items = {"required_labels": ["gpu", "ssd"], "env_config": [_ENV, {**_ENV, "env_name": "OTHER"}]}
    control = prober.update(body=items, rule="updated", expect="accept")
    require_reaction(control, "accepted")
    repeated = {name: [values[0], values[0]] for name, values in items.items()}
    answers = Trial(tuple({name: values} for name, values in repeated.items())).run(prober)
    if find_reaction(answers) == "refused":
        return see("refused", answers)
    shown = prober.read()
    lengths = {len(shown[name]) if isinstance(shown.get(name), list) else 0 for name in repeated}
    option = {(2,): "kept", (1,): "merged"}.get(tuple(lengths))
    if option is None:
        raise CannotSee(f"{answers[0].tell()}, and the read-back shows neither one nor two of each item")
    return see(option, answers)
