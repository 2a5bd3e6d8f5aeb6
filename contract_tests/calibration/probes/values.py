"""Probes of the values of an update: accepted or refused, beside valid values that are accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from contract_tests.calibration.probes import faults
from contract_tests.calibration.probing.prober import ABSENT, Judged, Prober
from contract_tests.calibration.probing.sighting import (
    Answer,
    CannotSee,
    Sighting,
    find_reaction,
    require_reaction,
    see,
    see_status,
)
from contract_tests.calibration.probing.stored import read_stored, require_stored
from contract_tests.contract.property_rules import find_nearest_rule

Values = Mapping[str, Any]
_ENV, _VOLUME = (
    {"env_name": "MODE", "env_value": "test"},
    {"host_path": "/srv/data", "container_path": "/data"},
)


@dataclass(frozen=True, slots=True)
class Trial:
    """Values of which an update has one each or all; ``rule`` is the one that a server error breaks.

    A refusal counts only beside valid values (``control``) that are accepted, an acceptance only beside a ``wrong``
    value that is refused, which breaks the rule ``wrong_rule``.
    """

    values: tuple[Values, ...]
    control: Values = field(default_factory=dict)
    wrong: Values = field(default_factory=dict)
    wrong_rule: str = ""
    rule: str = "updated"
    kind: str = "deployed"

    def run(self, prober: Prober) -> list[Answer]:
        """Return the answers, which have the same reaction: to all values at once, or to each alone."""
        for name, value in self.control.items():
            rule = find_nearest_rule("updateContainer", name, value)
            prober.require_accepted({name: value}, service=self.kind, rule=rule)
        answers = self._ask_all(prober)
        if find_reaction(answers) == "accepted" and self.wrong:
            wrong = prober.update(
                body=self.wrong, service=self.kind, judged=Judged(self.wrong_rule, "refuse")
            )
            require_reaction(wrong, "refused")
        return answers

    def _ask_all(self, prober: Prober) -> list[Answer]:
        whole = {name: value for values in self.values for name, value in values.items()}
        if len(whole) == len(self.values):  # no value takes the place of another
            answer = self._ask(prober, whole)
            if len(self.values) == 1 or answer.reaction == "accepted":
                return [answer]
        return [self._ask(prober, values) for values in self.values]

    def _ask(self, prober: Prober, values: Values) -> Answer:
        return prober.update(body=values, service=self.kind, judged=Judged(self.rule))


_ENV_CONTROL, _VOLUME_CONTROL = {"env_config": [_ENV]}, {"volume_config": [_VOLUME]}
_WRONG_ENV = ({"env_config": [{**_ENV, "env_value": 7}]}, "env-value-type")
_WRONG_VOLUME = ({"volume_config": [{**_VOLUME, "host_path": 7}]}, "host-path-type")
_URL_CONTROL = {"external_url": "https://fixture.example.com/api"}
_WRONG_URL = ({"external_url": "http://fixture.example.com/api"}, "external-url-pattern")
TRIALS = {
    "nul-characters": Trial(
        ({"service_desc": "a\0b"},),
        {"service_desc": "ab"},
        {"service_desc": 7},
        "service-desc-type",
        rule="body-text",
    ),
    "integral-floats": Trial(
        ({"exposed_port": 8080.0}, {"gpu_count": 1.0}, {"replica_count": 2.0}),
        {"exposed_port": 8080, "gpu_count": 1, "replica_count": 2},
        {"exposed_port": 8080.5},
        "exposed-port-type",
        rule="exposed-port-type",
    ),
    "unknown-properties": Trial(({"x_calibration": "unknown"},), rule="unknown-properties-ignored"),
    "unknown-item-properties": Trial(
        (
            {"env_config": [{**_ENV, "x_calibration": "a"}]},
            {"volume_config": [{**_VOLUME, "x_calibration": "a"}]},
        ),
        {**_ENV_CONTROL, **_VOLUME_CONTROL},
        *_WRONG_ENV,
    ),
    "gpu-count-below-minus-one": Trial(
        ({"gpu_count": -2},), {"gpu_count": -1}, {"gpu_count": "2"}, "gpu-count-type", rule="gpu-count-range"
    ),
    "env-name": Trial(({"env_config": [{"env_value": "test"}]},), _ENV_CONTROL, *_WRONG_ENV),
    "env-value": Trial(({"env_config": [{"env_name": "MODE"}]},), _ENV_CONTROL, *_WRONG_ENV),
    "host-path": Trial(({"volume_config": [{"container_path": "/data"}]},), _VOLUME_CONTROL, *_WRONG_VOLUME),
    "container-path": Trial(
        ({"volume_config": [{"host_path": "/srv/data"}]},), _VOLUME_CONTROL, *_WRONG_VOLUME
    ),
    "private-hosts": Trial(
        ({"external_url": "https://10.0.0.1/"}, {"external_url": "https://localhost/"}),
        _URL_CONTROL,
        *_WRONG_URL,
        kind="external",
    ),
    "urls-without-host": Trial(({"external_url": "https://"},), _URL_CONTROL, *_WRONG_URL, kind="external"),
}
_IMMUTABLE = {"service_slug": "slug-immutable", "service_type": "service-type-immutable"}


def try_values(prober: Prober, choice: str, accepted: str, refused: str) -> Sighting:
    """See a choice by the trial of its name; ``accepted`` and ``refused`` are its options."""
    answers = TRIALS[choice].run(prober)
    return see(accepted if find_reaction(answers) == "accepted" else refused, answers)


def unknown_credentials(prober: Prober) -> Sighting:
    """See whether an external service takes a credential that was never stored."""
    credential = prober.remember("credential", str(uuid4()))
    name, rule = "external_auth_credential_id", "external-credential-format"
    answer = prober.update(
        "with an unknown credential", {name: credential}, service="external", judged=Judged(rule)
    )
    answers = [answer]
    if find_reaction(answers) == "accepted":
        wrong = prober.update(body={name: "not-a-uuid"}, service="external", judged=Judged(rule, "refuse"))
        require_reaction(wrong, "refused")
    else:  # a create cannot be refused for the state of a service
        what = "with an unknown credential"
        answers += [prober.create(what, {name: credential}, kind="external", judged=Judged(rule))]
    return see(find_reaction(answers), answers)


def invalid_body_status(prober: Prober) -> Sighting:
    """See the status of wrong values: out of range, of another type or form, left out, and no object at all."""
    prober.require_accepted({"display_name": "Fixture"}, rule="display-name-type")
    slug = {"service_slug": "-no-slug-"}
    answers = [
        faults.ask(prober, faults.INVALID_VALUE),
        prober.create(values=slug, judged=Judged("service-slug-pattern", "refuse")),
        prober.update(body={"display_name": 7}, judged=Judged("display-name-type", "refuse")),
        prober.update("with []", raw="[]", judged=Judged("body-object", "refuse")),
        prober.create(
            "without display_name",
            judged=Judged("display-name-required", "refuse"),
            values={"display_name": ABSENT},
        ),
    ]
    return see_status(answers)


def null_on_update(prober: Prober) -> Sighting:
    """See whether null is an absent value: then the update keeps what was stored."""
    stored: Values = {"service_desc": "Kept", "health_path": "/kept", "required_labels": ["kept"]}
    prober.require_accepted(stored)
    nulls = tuple({name: None} for name in stored)
    answers = Trial(nulls, {}, {"service_desc": 7}, "service-desc-type").run(prober)
    if find_reaction(answers) == "refused":
        return see("refused", answers)
    if not prober.wire.executor.readback:
        return see("absent", answers, "medium")
    shown = read_stored(prober)
    if any(shown.get(name) != value for name, value in stored.items()):
        raise CannotSee(f"{answers[0].tell()}, and it did not keep what was stored")
    return see("absent", answers)


def immutable_properties(prober: Prober) -> Sighting:
    """See whether the slug and the type may be named on update; naming them must have no effect."""
    before = read_stored(prober) if prober.wire.executor.readback else None
    slug = prober.remember("other slug", prober.wire.executor.controls.slugs.new_slug())
    answers = Trial(({"service_slug": slug}, {"service_type": "external"}), rule="slug-immutable").run(prober)
    if find_reaction(answers) == "refused":
        return see("refused", answers)
    if before is None:
        return see("ignored", answers, "medium")
    for name, rule in _IMMUTABLE.items():
        require_stored(prober, rule, {name: before.get(name)})
    return see("ignored", answers)


def repeated_items(prober: Prober) -> Sighting:
    """See whether an item that an array holds twice is kept, merged or refused."""
    items: dict[str, list[Any]] = {
        "required_labels": ["gpu", "ssd"],
        "env_config": [_ENV, {**_ENV, "env_name": "OTHER"}],
    }
    prober.require_accepted(items)
    repeated = {name: [values[0], values[0]] for name, values in items.items()}
    twice = tuple({name: values} for name, values in repeated.items())
    answers = Trial(twice, {}, *_WRONG_ENV).run(prober)
    if find_reaction(answers) == "refused":
        return see("refused", answers)
    shown = read_stored(prober)
    lengths = {len(shown[name]) if isinstance(shown.get(name), list) else 0 for name in repeated}
    if lengths not in ({1}, {2}):
        raise CannotSee(f"{answers[0].tell()}, and the read-back shows neither one nor two of each item")
    return see("kept" if lengths == {2} else "merged", answers)
