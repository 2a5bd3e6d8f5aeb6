"""Probes of the values of an update: accepted or refused, beside valid values that are accepted."""

from typing import Any
from uuid import uuid4

from contract_tests.calibration.probes import faults
from contract_tests.calibration.probing.prober import ABSENT, Judged, Prober
from contract_tests.calibration.probing.sighting import (
    CannotSee,
    Sighting,
    find_reaction,
    require_reaction,
    see,
    see_status,
)
from contract_tests.calibration.probing.stored import read_stored, require_stored
from contract_tests.calibration.probing.trials import (
    ENV_ITEM,
    ITEMS_CONTROL,
    WRONG_ENV,
    Trial,
    Values,
    run_trial,
)

_IMMUTABLE = {"service_slug": "slug-immutable", "service_type": "service-type-immutable"}


def try_values(prober: Prober, choice: str, accepted: str, refused: str) -> Sighting:
    """See a choice by the trial of its name; ``accepted`` and ``refused`` are its options."""
    answers = run_trial(prober, choice)
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
    stored: Values = {"service_desc": "Kept", "required_labels": ["kept"]}
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
        "env_config": [ENV_ITEM, {**ENV_ITEM, "env_name": "OTHER"}],
    }
    prober.require_accepted(items)
    repeated = {name: [values[0], values[0]] for name, values in items.items()}
    twice = tuple({name: values} for name, values in repeated.items())
    answers = Trial(twice, {}, *WRONG_ENV).run(prober)
    if find_reaction(answers) == "refused":
        return see("refused", answers)
    shown = read_stored(prober)
    lengths = {len(shown[name]) if isinstance(shown.get(name), list) else 0 for name in repeated}
    if lengths not in ({1}, {2}):
        raise CannotSee(f"{answers[0].tell()}, and the read-back shows neither one nor two of each item")
    return see("kept" if lengths == {2} else "merged", answers)


def repeated_env_names(prober: Prober) -> Sighting:
    """See whether two variables of one name are kept, merged or refused; the last one counts."""
    last = {**ENV_ITEM, "env_value": "last"}
    trial = Trial(({"env_config": [ENV_ITEM, last]},), ITEMS_CONTROL, *WRONG_ENV)
    answers = trial.run(prober)
    if find_reaction(answers) == "refused":
        return see("refused", answers)
    shown = read_stored(prober).get("env_config")
    options = {2: "kept", 1: "merged"}
    option = options.get(len(shown)) if isinstance(shown, list) and shown[-1:] == [last] else None
    if option is None:
        raise CannotSee(f"{answers[0].tell()}, and the read-back shows neither both nor the last one")
    return see(option, answers)
