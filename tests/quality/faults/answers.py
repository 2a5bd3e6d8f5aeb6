"""Faults in what is answered: ids, bodies and statuses, to all requests or to some."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from mock_server.services.model import Store
from tests.quality.faults.company import Company, all_of, by, external
from tests.support.gate.messages import (
    CRASHED,
    Interceptor,
    Request,
    Response,
    Send,
)
from tests.support.gate.planting import (
    Fault,
    fault,
    remembering,
    service_of,
)

Change = Callable[[Response], Response]


def anything(_request: Request, _service: object) -> bool:
    """Every request."""
    return True


def answered(
    name: str, operation: str, change: Change, when: Company = anything, also: Mapping[str, str] | None = None
) -> Fault:
    """Another answer to an accepted request, for all or for some."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            service = service_of(store, request)
            response = send(request)
            changed = response.accepted and request.operation == operation and when(request, service)
            return change(response) if changed else response

        return intercept

    return remembering(name, "created" if operation == "create" else "updated", planted, also=also)


def named(name: str, operation: str, other: Callable[[Store, Request, str], object]) -> Fault:
    """Another id in the answer; the function is given the store, the request, and the right id."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            response = send(request)
            if request.operation != operation or not response.accepted:
                return response
            return response.with_value({"id": other(store, request, response.value["id"])})

        return intercept

    return remembering(name, "created" if operation == "create" else "updated", planted)


def wrapped(form: str) -> Callable[[Store, Request, str], object]:
    """The id within other text."""
    return lambda _store, _request, right: form.format(right)


def _newest(store: Store, _request: Request, _right: str) -> object:
    with store.transaction() as step:
        return step.newest(1)[0].id


def _one_before(store: Store, _request: Request, right: str) -> object:
    with store.transaction() as step:
        return next((s.id for s in step.newest(2) if s.id != right), right)


def _slug(store: Store, _request: Request, right: str) -> object:
    with store.transaction() as step:
        service = step.get(right)
        return service.slug if service else right


def _bare(response: Response) -> Response:
    return replace(response, body=b"")


def _no_content(_response: Response) -> Response:
    return Response(204, b"")


def _key(name: str) -> Change:
    return lambda response: response.with_value({name: response.value["id"]})


def _raw(change: Callable[[bytes], bytes]) -> Change:
    return lambda response: replace(response, body=change(response.body))


def empty(request: Request, _service: object) -> bool:
    """Updates of nothing."""
    return isinstance(request.value, dict) and not request.value


def null(request: Request, _service: object) -> bool:
    """Requests with a null credential."""
    return request.body.get("external_auth_credential_id", "") is None


IDS: tuple[Fault, ...] = (
    named("create-answers-its-slug", "create", _slug),
    named("create-answers-its-team", "create", lambda _store, request, _right: request.team),
    named("create-answers-the-id-before", "create", _one_before),
    named("create-answers-an-id-in-braces", "create", wrapped("{{{}}}")),
    named("create-answers-a-urn", "create", wrapped("urn:uuid:{}")),
    named("create-answers-an-id-with-a-newline", "create", wrapped("{}\n")),
    named("create-answers-a-path", "create", wrapped("/containers/{}")),
    named("create-answers-an-array-of-ids", "create", lambda _store, _request, right: [right]),
    named("create-answers-a-short-id", "create", lambda _store, _request, right: right[:8]),
    named("update-answers-the-id-of-the-newest", "update", _newest),
    named("update-answers-its-slug", "update", _slug),
    named("update-answers-its-team", "update", lambda _store, request, _right: request.team),
    named("update-answers-true", "update", lambda _store, _request, _right: True),
    named("update-answers-an-id-without-hyphens", "update", lambda _store, _request, right: right.replace("-", "")),
    named("update-answers-an-object-as-id", "update", lambda _store, _request, right: {"uuid": right}),
)  # fmt: skip

BODIES: tuple[Fault, ...] = (
    answered("create-answers-the-id-as-uuid", "create", _key("uuid")),
    answered("create-answers-the-id-in-capital-letters", "create", _key("ID")),
    answered("create-answers-json-in-a-text", "create", _raw(lambda body: json.dumps(body.decode()).encode())),
    answered("create-answers-in-single-quotes", "create", _raw(lambda body: body.replace(b'"', b"'"))),
    answered("create-answers-half-a-body", "create", _raw(lambda body: body[:20])),
    answered("create-answers-twice", "create", _raw(lambda body: body + b"\n" + body)),
    answered("create-answers-a-service-within", "create", lambda r: r.with_value({"container": r.value})),
    answered("create-answers-no-body-on-external", "create", _bare,
             lambda request, _service: request.body.get("service_type") == "external"),
    answered("create-answers-no-body-to-users", "create", _bare, by("jwt")),
    answered("create-answers-no-content-to-dk", "create", _no_content, by("dk")),
    answered("create-answers-an-error-to-blue", "create", lambda r: r.with_value({"id": None, "error": "timeout"}),
             by("sk-blue")),
    answered("update-answers-no-body-on-external", "update", _bare, external),
    answered("update-answers-no-content-to-users", "update", _no_content, by("jwt")),
    answered("update-answers-no-id-to-dk", "update", lambda r: r.with_value({"updated": True}), by("dk")),
    answered("update-of-nothing-answers-no-content", "update", _no_content, empty),
    answered("update-of-nothing-answers-an-empty-object", "update", lambda r: r.with_value({}), empty),
    answered("update-with-a-null-credential-answers-no-id", "update", lambda r: r.with_value({}), null),
    answered("update-answers-half-a-body", "update", _raw(lambda body: body[:-1])),
    answered("update-answers-an-array", "update", lambda r: r.with_value([r.value])),
    answered("update-wraps-the-answer", "update", lambda r: r.with_value({"data": r.value})),
    answered("update-of-an-external-by-users-answers-null", "update", _raw(lambda _body: b"null"),
             all_of(external, by("jwt"))),
)  # fmt: skip


def instead(rule: str, other: Response, operation: str = "", *callers: str) -> Interceptor:
    """Another answer than the refusal for breaking a rule."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        mine = request.operation in (operation or request.operation) and request.caller in (
            callers or (request.caller,)
        )
        return other if mine and rule in response.broken else response

    return intercept


_FAILED = Response(200).with_value({"error": "the request failed"})


def _as_accepted(rule: str) -> Interceptor:
    """Answers an update that is refused for a rule as an accepted one, and changes nothing."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        return Response(200).with_value({"id": request.service}) if rule in response.broken else response

    return intercept


def refused(name: str, rule: str, other: Response, operation: str = "", *callers: str) -> Fault:
    """A refusal that is answered otherwise."""
    wrong = {"created": "a success without an id, on a point left open"} if other is _FAILED else {}
    wrong |= {"updated": "a success without an id, on a point left open"} if other is _FAILED else {}
    return fault(name, rule, instead(rule, other, operation, *callers), also=wrong)


_TEAM = "team-required-for-jwt"

STATUSES: tuple[Fault, ...] = (
    refused("jwt-without-a-team-answered-403-on-update", _TEAM, Response(403), "update"),
    refused("jwt-without-a-team-answered-404-where-it-has-two", _TEAM, Response(404), "", "jwt-both"),
    refused("jwt-without-a-team-crashes-on-update", _TEAM, CRASHED, "update"),
    refused("jwt-without-a-team-answered-200-with-an-error", _TEAM, _FAILED, "create"),
    refused("malformed-json-answered-200-with-an-error", "body-json", _FAILED),
    refused("taken-slug-answered-200-with-an-error", "slug-unique", _FAILED),
    refused("taken-slug-crashes", "slug-unique", CRASHED),
    refused("busy-answered-202", "not-while-busy", Response(202)),
    refused("busy-crashes", "not-while-busy", CRASHED),
    # Only assumed to be refused: what is accepted in its place has no body.
    fault("unknown-id-answered-204", "updated", instead("service-exists", Response(204, b""), "update")),
    fault("service-of-others-answered-as-updated", "team-scope", _as_accepted("team-scope")),
    refused("service-of-others-crashes", "team-scope", CRASHED),
    refused("no-token-crashes-on-update", "auth-required", CRASHED, "update"),
    refused("url-on-deployed-crashes", "external-url-on-external-only", CRASHED),
    refused("credential-on-deployed-crashes", "external-credential-on-external-only", CRASHED),
    refused("url-on-deployed-answered-200-with-an-error", "external-url-on-external-only", _FAILED),
    refused("no-image-crashes", "docker-image-required", CRASHED),
    refused("no-url-crashes", "external-url-required", CRASHED),
    refused("no-slug-crashes", "service-slug-required", CRASHED),
    refused("slug-of-another-type-crashes", "service-slug-type", CRASHED),
    refused("variable-that-is-no-object-crashes", "env-config-item-type", CRASHED),
    refused("variable-of-another-type-crashes-on-update", "env-value-type", CRASHED, "update"),
    refused("label-of-another-type-crashes", "required-labels-item-type", CRASHED, "create"),
    refused("volumes-of-another-type-crash", "volume-config-type", CRASHED),
    refused("url-of-another-form-crashes", "external-url-format", CRASHED),
    refused("malformed-credential-crashes", "external-credential-format", CRASHED),
    refused("long-openapi-crashes", "openapi-url-length", CRASHED),
    refused("empty-token-crashes", "auth-bearer", CRASHED),
)  # fmt: skip

ANSWERED = (*IDS, *BODIES, *STATUSES)
