"""Probes of creates: values beside a plain create, which is accepted."""

from collections.abc import Mapping
from typing import Any

from contract_tests.calibration.probing.prober import Judged, Prober
from contract_tests.calibration.probing.sighting import Answer, Sighting, find_reaction, require_reaction, see

_CREDENTIAL = "external_auth_credential_id"
_NULLS = ("service_desc", "env_config")


def null_on_create(prober: Prober) -> Sighting:
    """See whether null is an absent value."""
    together = prober.create(values=dict.fromkeys(_NULLS))
    if together.reaction == "accepted":
        _require_wrong_refused(prober)
        return see("absent", [together])
    answers = [prober.create(values={name: None}) for name in _NULLS]
    return see("absent" if find_reaction(answers) == "accepted" else "refused", answers)


def credential_on_deployed(prober: Prober) -> Sighting:
    """See whether a deployed create may name a credential, where an external update may."""
    values = {_CREDENTIAL: prober.wire.executor.controls.bodies["external-with-credential"][_CREDENTIAL]}
    require_reaction(prober.update(body=values, service="external"), "accepted")
    return _see_create(prober, values)


def external_url_on_deployed(prober: Prober) -> Sighting:
    """See whether a deployed create may name external_url, where an external one may."""
    prober.find_shared("external")
    return _see_create(
        prober, {"external_url": prober.wire.executor.controls.bodies["external"]["external_url"]}
    )


def docker_image_on_external(prober: Prober) -> Sighting:
    """See whether an external create may name docker_image, where a deployed one may."""
    prober.find_shared("external")
    values = {"docker_image": prober.wire.executor.controls.bodies["deployed"]["docker_image"]}
    return _see_create(prober, values, "external")


def empty_docker_image(prober: Prober) -> Sighting:
    """See whether the docker_image of a deployed create may be empty."""
    return _see_create(prober, {"docker_image": ""})


def _see_create(prober: Prober, values: Mapping[str, Any], kind: str = "deployed") -> Sighting:
    answer = _ask(prober, values, kind)
    if answer.reaction == "accepted":
        _require_wrong_refused(prober)
    return see(find_reaction([answer]), [answer])


def _require_wrong_refused(prober: Prober) -> None:
    """Raise CannotSee if a create with a wrong value is accepted: then an acceptance proves nothing."""
    wrong = prober.create(values={"service_desc": 7}, judged=Judged("service-desc-type", "refuse"))
    require_reaction(wrong, "refused")


def _ask(prober: Prober, values: Mapping[str, Any], kind: str) -> Answer:
    rule = "created" if "" in values.values() else "unused-properties-accepted"
    return prober.create(values=values, kind=kind, judged=Judged(rule))
