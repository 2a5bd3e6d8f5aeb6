"""Probes of which service is updated, and in which state."""

from contract_tests.calibration.probes import faults
from contract_tests.calibration.probing.prober import Judged, Prober
from contract_tests.calibration.probing.sighting import (
    Answer,
    CannotSee,
    Sighting,
    find_reaction,
    require_reaction,
    see,
    see_status,
)
from contract_tests.cases.model import Expect, Step

_BUSY = ("deploying", "stopping")


def malformed_id_status(prober: Prober) -> Sighting:
    """See the status of a serviceId that is no UUID."""
    short = str(prober.find_shared("deployed").id)[:-1]
    answers = [
        faults.ask(prober, faults.MALFORMED_ID),
        prober.update(
            "with a serviceId that lacks its last digit",
            service=short,
            judged=Judged("service-id-format", "refuse"),
        ),
    ]
    return see_status(answers)


def id_forms(prober: Prober) -> Sighting:
    """See whether a serviceId is read after urn:uuid:, where one that is no UUID is refused."""
    require_reaction(faults.ask(prober, faults.MALFORMED_ID), "refused")
    known = str(prober.find_shared("deployed").id)
    prober.find_base("deployed")
    answer = prober.update(
        "with the serviceId after urn:uuid:", service=f"urn:uuid:{known}", judged=Judged("service-id-format")
    )
    return see(find_reaction([answer]), [answer], "medium")


def unknown_services(prober: Prober) -> Sighting:
    """See whether the update of an unknown service is refused."""
    answer = faults.ask(prober, faults.unknown_service(prober))
    return see(find_reaction([answer]), [answer])


def unknown_service_status(prober: Prober) -> Sighting:
    """See the status of an unknown service."""
    return see_status([faults.ask(prober, faults.unknown_service(prober))])


def foreign_service_status(prober: Prober) -> Sighting:
    """See the status of another team's service, which its owner can update."""
    fault = faults.foreign_service(prober)
    own = prober.update("as its owner", service=fault.service, caller="blue")
    require_reaction(own, "accepted")
    return see_status([faults.ask(prober, fault)])


def busy_status(prober: Prober) -> Sighting:
    """See the status of an update while the service is busy; before and after, it is accepted."""
    if prober.wire.executor.hook is None:
        raise CannotSee("needs --control-hook to set a service's status")
    service = _create_service(prober)
    require_reaction(_update(prober, service, "created", "open"), "accepted")
    answers = []
    for status in _BUSY:
        _set_status(prober, service, status)
        answers.append(_update(prober, service, status, "refuse"))
    _set_status(prober, service, "running")
    require_reaction(_update(prober, service, "running", "accept"), "accepted")
    return see_status(answers)


def _create_service(prober: Prober) -> str:
    """Create a plain service that no other probe uses, and return its id."""
    prober.wire.require_budget()
    context, body = prober.wire.open_context(), prober.wire.executor.controls.bodies["deployed"]
    prober.wire.executor.sender.send_step(context, Step(caller=prober.find_owner().role, body=body))
    if "service" not in context.services:
        raise CannotSee("a plain deployed service cannot be created here")
    return context.services["service"]


def _set_status(prober: Prober, service: str, status: str) -> None:
    prober.wire.require_budget()
    hook = prober.wire.executor.hook
    prober.wire.hook_calls += 1
    problem = hook.set_status(service, status) if hook else ""
    if problem:
        raise CannotSee(f"the control hook failed: {problem}")


def _update(prober: Prober, service: str, status: str, expect: Expect) -> Answer:
    what = f"while the service is {status}"
    return prober.update(what, service=service, judged=Judged("not-while-busy", expect))


def slug_taken_status(prober: Prober) -> Sighting:
    """See the status of a slug that the team uses."""
    slug = prober.find_shared("deployed").slug
    answer = prober.create("with a slug that is taken", slug=slug, judged=Judged("slug-unique", "refuse"))
    return see_status([answer])


def external_only_status(prober: Prober) -> Sighting:
    """See the status of external_url and of a credential on a deployed service; an external one accepts them."""
    answers = []
    for name, rule in (
        ("external_url", "external-url-on-external-only"),
        ("external_auth_credential_id", "external-credential-on-external-only"),
    ):
        body = {name: prober.wire.executor.controls.bodies["external-with-credential"][name]}
        control = prober.update(body=body, service="external")
        if name == "external_url" or control.reaction == "accepted":
            require_reaction(control, "accepted")
            answers.append(prober.update(body=body, judged=Judged(rule, "refuse")))
    return see_status(answers)
