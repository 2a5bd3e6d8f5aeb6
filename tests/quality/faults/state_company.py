"""Faults in what is stored allows, in company only: among near slugs, for some bodies, callers and types."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mock_server.services.model import Service, SlugTakenError, Store, Transaction
from tests.quality.faults.company import Company, all_of, alone, beside, blue, by, external
from tests.quality.faults.unique import Other
from tests.support.gate.messages import (
    Interceptor,
    Request,
    Response,
    Send,
    known,
)
from tests.support.gate.planting import (
    Fault,
    Write,
    lenient,
    remembering,
    rewrites,
    service_of,
    stored_in,
    type_of,
)

_CREDENTIAL = "external_auth_credential_id"


def taken_if(same: Callable[[Service, Service], bool]) -> Callable[[], Store]:
    """A store in which another service takes a slug if a function of both says so."""

    class Near(Other):
        def add(self, step: Transaction, service: Service, *, unique: bool) -> None:
            if unique and any(same(other, service) for other in step.all()):
                raise SlugTakenError(service.slug)
            step.add(service, unique=False)

    return Near


def compared_by(key: Callable[[str], object]) -> Callable[[], Store]:
    """A store that compares not the slugs of a team, but what it makes of them."""
    return taken_if(lambda a, b: a.team == b.team and key(str(a.slug)) == key(str(b.slug)))


def _equal(one: Service, other: Service) -> bool:
    return one.team == other.team and one.slug == other.slug


def _begins(one: Service, other: Service) -> bool:
    return one.team == other.team and str(one.slug).startswith(str(other.slug))


def _one_user(one: Service, other: Service) -> bool:
    """Whether the slugs are equal and a user has both teams."""
    return one.slug == other.slug and _one_user_has(one.team, other.team)


def _one_user_has(*teams: str) -> bool:
    return any(set(teams) <= set(caller.teams) for caller in known().callers.values() if caller.kind == "jwt")


def _again(store: Store) -> Interceptor:
    """Answers a create of a slug that the caller made itself as the first time, and updates that service."""
    made: dict[tuple[str, str, object], str] = {}

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        key = (request.caller, request.team, str(request.body.get("service_slug")))
        if request.operation == "create" and response.accepted:
            made[key] = response.value["id"]
        if "slug-unique" not in response.broken or key not in made:
            return response
        with store.transaction() as step:
            service = step.get(made[key])
            if service is not None:
                kept = {"service_type": service.values.get("service_type")}
                step.replace(replace(service, values={**service.values, **request.body, **kept}))
        return Response(201).with_value({"id": made[key]})

    return intercept


def _same_body(_store: Store) -> Interceptor:
    """Answers a create with the body of an earlier one as that one, of the same caller and team."""
    answered: dict[tuple[str, str, bytes], Response] = {}

    def intercept(request: Request, send: Send) -> Response:
        key = (request.caller, request.team, request.raw)
        response = send(request)
        if request.operation == "create" and response.accepted:
            answered[key] = response
        return answered.get(key, response) if "slug-unique" in response.broken else response

    return intercept


def _reserved(rule: str) -> Callable[[Store], Interceptor]:
    """A create that is refused for a rule takes its slug nevertheless."""

    def planted(_store: Store) -> Interceptor:
        taken: set[tuple[str, object]] = set()

        def intercept(request: Request, send: Send) -> Response:
            slug = str(request.body.get("service_slug"))
            if request.operation == "create" and (request.team, slug) in taken:
                return Response(409)
            response = send(request)
            if request.operation == "create" and rule in response.broken:
                taken.add((request.team, slug))
            return response

        return intercept

    return planted


_AMONG = {"service-slug-pattern": "a slug of the right form is refused beside another",
          "created-stored": "a create with a free slug is refused, and so not stored"}  # fmt: skip
_ANSWERED = {"created": "the id is that of an earlier create"}

SLUGS: tuple[Fault, ...] = (
    stored_in("slugs-compared-by-63-characters", "slug-unique", compared_by(lambda slug: slug[:63]), also=_AMONG),
    stored_in("slugs-compared-by-their-ends", "slug-unique", compared_by(lambda slug: slug[-50:]), also=_AMONG),
    stored_in("slugs-compared-without-hyphens", "slug-unique", compared_by(lambda slug: slug.replace("-", "")),
              also=_AMONG),
    stored_in("slugs-compared-without-leading-zeros", "slug-unique", compared_by(
        lambda slug: re.sub("(?<![0-9])0+(?=[0-9])", "", slug)), also=_AMONG),
    stored_in("slug-that-begins-another-refused", "slug-unique", taken_if(_begins), also=_AMONG),
    stored_in("slug-unique-not-over-64", "slug-unique", taken_if(
        lambda a, b: _equal(a, b) and len(str(a.slug)) <= 64)),
    stored_in("slug-unique-not-for-external", "slug-unique", taken_if(
        lambda a, b: _equal(a, b) and b.values.get("service_type") != "external")),
    stored_in("slug-unique-among-the-same-names", "slug-unique", taken_if(
        lambda a, b: _equal(a, b) and a.values.get("display_name") == b.values.get("display_name"))),
    stored_in("slug-unique-among-those-not-deployed-yet", "slug-unique", taken_if(
        lambda a, b: _equal(a, b) and a.status == "created")),
    stored_in("slug-unique-within-the-teams-of-a-user", "slug-unique", taken_if(_one_user), also=_AMONG),
    lenient("slug-unique-not-for-users", "slug-unique", by("jwt")),
    lenient("slug-unique-not-for-blue", "slug-unique", blue),
    lenient("slug-unique-not-beside-labels", "slug-unique", beside("required_labels")),
    remembering("create-of-an-own-slug-is-an-update", "slug-unique", _again, also={
        **_ANSWERED, "created-stored": "a create changes a service that there is"}),
    remembering("same-create-answered-twice", "slug-unique", _same_body, also=_ANSWERED),
    remembering("slug-of-a-create-without-a-url-stays-taken", "slug-unique", _reserved("external-url-required"),
                also=_AMONG),
    remembering("slug-of-a-create-with-a-long-name-stays-taken", "slug-unique", _reserved("display-name-length"),
                also=_AMONG),
    remembering("slug-of-a-create-with-a-wrong-port-stays-taken", "slug-unique", _reserved("exposed-port-range"),
                also=_AMONG),
)  # fmt: skip


def flips(service_type: str, when: Callable[[Write], bool]) -> Callable[[Store], Interceptor]:
    """Changes the type after some updates."""
    return rewrites("update", lambda write: {"service_type": service_type} if when(write) else {})


def _by_url(write: Write) -> Mapping[str, Any]:
    """A create that says it is deployed is external if it has a URL."""
    return {"service_type": "external"} if "external_url" in write.sent else {}


def _renamed(write: Write) -> str:
    words = re.sub("[^a-z0-9]+", "-", str(write.sent.get("display_name", "")).lower()).strip("-")
    return f"{words or 'service'}-{write.after.id[-8:]}"


def reslugged(
    when: Callable[[Write], bool], slug: Callable[[Write], object]
) -> Callable[[Store], Interceptor]:
    """Changes the slug after some updates."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            before = service_of(store, request)
            response = send(request)
            write = Write(request, before, before) if before and response.accepted else None
            if write and when(write):
                with store.transaction() as step:
                    now = step.get(write.after.id) or write.after
                    step.replace(replace(now, slug=slug(write)))
            return response

        return intercept

    return planted


def _sent_type(service_type: str) -> Company:
    return lambda request, _service: request.body.get("service_type") == service_type


_FLIPPED = {
    "external-url-on-external-only": "the stored type is another now",
    "external-credential-on-external-only": "the stored type is another now",
    "update-keeps-omitted": "the type that the update leaves out is another now",
    "updated-stored": "what the other type does not use is not shown",
}

TYPES: tuple[Fault, ...] = (
    remembering("update-makes-deployed", "service-type-immutable",
                flips("deployed", lambda w: w.sent.get("service_type") == "deployed"), also=_FLIPPED),
    remembering("type-obeyed-beside-a-url", "service-type-immutable", flips(
        "deployed", lambda w: w.sent.get("service_type") == "deployed" and "external_url" in w.sent), also=_FLIPPED),
    remembering("type-obeyed-from-users", "service-type-immutable", flips(
        "external", lambda w: w.sent.get("service_type") == "external" and w.request.kind == "jwt"), also=_FLIPPED),
    remembering("image-makes-external-deployed", "service-type-immutable",
                flips("deployed", lambda w: "docker_image" in w.sent), also=_FLIPPED),
    remembering("url-makes-a-deployed-create-external", "created-stored", rewrites("create", _by_url), also={
        "service-type-default": "a create without a type makes an external service",
        "unused-properties-accepted": "a URL on a deployed create has an effect", **_FLIPPED}),
    remembering("slug-follows-the-name", "slug-immutable",
                reslugged(lambda w: "display_name" in w.sent, _renamed), also={
        "slug-unique": "the slug is free again", "updated-stored": "the service is not found under its slug",
        "update-keeps-omitted": "the service is not found under its slug"}),
    remembering("slug-obeyed-on-external", "slug-immutable", reslugged(
        lambda w: "service_slug" in w.sent and type_of(w.request, w.before) == "external",
        lambda w: w.sent["service_slug"])),
    remembering("slug-obeyed-from-dk", "slug-immutable", reslugged(
        lambda w: "service_slug" in w.sent and w.request.kind == "dk", lambda w: w.sent["service_slug"])),
    remembering("slug-obeyed-beside-a-name", "slug-immutable", reslugged(
        lambda w: "service_slug" in w.sent and "display_name" in w.sent, lambda w: w.sent["service_slug"])),
    lenient("url-on-deployed-with-the-type-external-taken", "external-url-on-external-only", _sent_type("external")),
    lenient("credential-on-deployed-with-the-type-external-taken", "external-credential-on-external-only",
            _sent_type("external")),
    lenient("url-on-deployed-that-had-one-taken", "external-url-on-external-only",
            lambda _request, service: service is not None and "external_url" in service.values),
    lenient("url-on-deployed-beside-a-null-credential-taken", "external-url-on-external-only",
            lambda request, _service: request.body.get(_CREDENTIAL, "") is None),
    lenient("credential-on-deployed-taken-for-blue", "external-credential-on-external-only", blue),
    lenient("credential-on-deployed-alone-taken", "external-credential-on-external-only", alone),
)  # fmt: skip


def _locked(store: Store) -> Interceptor:
    """A service that was busy when an update came stays locked."""
    locked: set[str] = set()

    def intercept(request: Request, send: Send) -> Response:
        service = service_of(store, request)
        if service is not None and service.id in locked:
            return Response(409)
        response = send(request)
        if service is not None and "not-while-busy" in response.broken:
            locked.add(service.id)
        return response

    return intercept


def _locked_when_refused(store: Store) -> Interceptor:
    """The update after one that was refused for its body finds the service locked."""
    locked: set[str] = set()

    def intercept(request: Request, send: Send) -> Response:
        service = service_of(store, request)
        if service is None:
            return send(request)
        if service.id in locked:
            locked.discard(service.id)
            return Response(409)
        response = send(request)
        if response.status == 400:
            locked.add(service.id)
        return response

    return intercept


def _busy_for_all(store: Store) -> Interceptor:
    """No update of a team is accepted while one of its services is busy."""

    def intercept(request: Request, send: Send) -> Response:
        service = service_of(store, request)
        with store.transaction() as step:
            busy = [other for other in step.all() if other.status in ("deploying", "stopping")]
        if service is not None and any(other.team == service.team for other in busy):
            return Response(409)
        return send(request)

    return intercept


def _while(status: str) -> Company:
    return lambda _request, service: service is not None and service.status == status


_LOCKED = dict.fromkeys(
    ("updated-stored", "update-keeps-omitted"), "an update of a service that is not busy is refused"
)
_NOT_PARTIAL = {"update-partial": "an update of a service that is not busy is refused"}

BUSY: tuple[Fault, ...] = (
    lenient("busy-not-for-dk", "not-while-busy", by("dk")),
    lenient("busy-not-for-an-empty-update", "not-while-busy", lambda request, _service: request.value == {}),
    lenient("busy-not-for-a-name-alone", "not-while-busy", all_of(alone, beside("display_name"))),
    lenient("busy-not-on-external", "not-while-busy", external),
    lenient("stopping-is-not-busy-for-sk", "not-while-busy", all_of(_while("stopping"), by("sk"))),
    lenient("deploying-is-not-busy-for-blue", "not-while-busy", all_of(_while("deploying"), blue)),
    remembering("lock-stays-after-a-busy-time", "not-while-busy", _locked, also=_LOCKED | _NOT_PARTIAL),
    remembering("lock-stays-after-a-refused-update", "not-while-busy", _locked_when_refused),
    remembering("one-busy-service-locks-its-team", "not-while-busy", _busy_for_all,
                also=_LOCKED | _NOT_PARTIAL),
)  # fmt: skip


def _id_of_the_body(_store: Store) -> Interceptor:
    """Answers a create with the id that its body names."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        if request.operation == "create" and response.accepted and isinstance(request.body.get("id"), str):
            return response.with_value({"id": request.body["id"]})
        return response

    return intercept


UNKNOWN: tuple[Fault, ...] = (
    remembering("id-in-the-body-of-a-create-obeyed", "unknown-properties-ignored", _id_of_the_body,
                also={"created": "the id is not that of the service"}),
)  # fmt: skip

STATE_COMPANY = (*SLUGS, *TYPES, *BUSY, *UNKNOWN)
