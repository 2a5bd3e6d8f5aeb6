"""Faults that show in company only: beside another property, for some callers, types, teams, items or sizes."""

from collections.abc import Callable
from typing import Any

from mock_server.services.model import Service, Store
from tests.quality.faults.strict_values import above, over, some
from tests.quality.faults.values import is_, text
from tests.support.gate.messages import (
    REFUSED,
    Interceptor,
    Request,
    Response,
    Send,
    known,
)
from tests.support.gate.planting import (
    Fault,
    Test,
    lenient,
    remembering,
    service_of,
    type_of,
)

Company = Callable[[Request, Service | None], bool]
_BLUE = known().teams["blue"]
_CREDENTIAL = "external_auth_credential_id"


def all_of(*conditions: Company) -> Company:
    """Requests that all conditions hold for."""
    return lambda request, service: all(condition(request, service) for condition in conditions)


def on(operation: str) -> Company:
    """Requests of an operation."""
    return lambda request, _service: request.operation == operation


def by(*names: str) -> Company:
    """Requests of some callers, by the name or the kind."""
    return lambda request, _service: request.caller in names or request.kind in names


def external(request: Request, service: Service | None) -> bool:
    """Requests that make or change an external service."""
    return type_of(request, service) == "external"


def blue(request: Request, _service: Service | None) -> bool:
    """Requests that work for team blue."""
    return request.team == _BLUE


def beside(*names: str) -> Company:
    """Requests that send all of some properties."""
    return lambda request, _service: request.operation != "" and all(name in request.body for name in names)


def alone(request: Request, _service: Service | None) -> bool:
    """Requests that send one property."""
    return len(request.body) == 1


def bigger(most: int) -> Company:
    """Requests with a body of more bytes."""
    return lambda request, _service: len(request.raw) > most


UNCHECKED: tuple[Fault, ...] = (
    lenient("port-range-unchecked-on-external", "exposed-port-range", external),
    lenient("port-range-unchecked-beside-gpus", "exposed-port-range", all_of(on("create"), beside("gpu_count"))),
    lenient("port-type-unchecked-beside-a-health-path", "exposed-port-type",
            all_of(on("update"), beside("health_path"))),
    lenient("port-range-unchecked-over-4-kib", "exposed-port-range", bigger(4096)),
    lenient("replicas-range-unchecked-on-external-update", "replica-count-range", all_of(on("update"), external)),
    lenient("replicas-range-unchecked-for-blue", "replica-count-range", blue),
    lenient("replicas-type-unchecked-beside-volumes", "replica-count-type", beside("volume_config")),
    lenient("gpus-type-unchecked-beside-replicas", "gpu-count-type", all_of(on("create"), beside("replica_count"))),
    lenient("name-length-unchecked-beside-a-description", "display-name-length",
            all_of(on("update"), beside("service_desc"))),
    lenient("name-length-unchecked-for-users", "display-name-length", by("jwt")),
    lenient("name-not-required-on-external", "display-name-required", all_of(on("create"), external)),
    lenient("name-not-required-for-blue", "display-name-required", blue),
    lenient("desc-type-unchecked-for-users-of-two-teams", "service-desc-type", by("jwt-both")),
    lenient("prompt-type-unchecked-beside-openapi", "usage-prompt-type", beside("openapi_url")),
    lenient("health-path-type-unchecked-on-external", "health-path-type", external),
    lenient("openapi-length-unchecked-on-external-create", "openapi-url-length", all_of(on("create"), external)),
    lenient("openapi-type-unchecked-alone", "openapi-url-type", all_of(on("update"), alone)),
    lenient("url-format-unchecked-beside-a-credential", "external-url-format", beside(_CREDENTIAL)),
    lenient("url-pattern-unchecked-for-blue", "external-url-pattern", blue),
    lenient("url-length-unchecked-for-dk-on-update", "external-url-length", all_of(on("update"), by("dk"))),
    lenient("credential-format-unchecked-beside-a-url-on-update", "external-credential-format",
            all_of(on("update"), beside("external_url"))),
    lenient("credential-type-unchecked-alone", "external-credential-type", all_of(on("update"), alone)),
    lenient("image-type-unchecked-where-the-type-is-written", "docker-image-type",
            all_of(on("create"), beside("service_type"))),
    lenient("image-not-required-where-the-type-is-written", "docker-image-required", beside("service_type")),
    lenient("image-not-required-beside-a-url", "docker-image-required", beside("external_url")),
    lenient("image-not-required-for-dk", "docker-image-required", by("dk")),
    lenient("url-not-required-beside-an-image", "external-url-required", beside("docker_image")),
    lenient("url-not-required-beside-a-credential", "external-url-required", beside(_CREDENTIAL)),
    lenient("slug-not-required-for-users", "service-slug-required", by("jwt")),
    lenient("slug-pattern-unchecked-on-external", "service-slug-pattern", external),
    lenient("slug-type-unchecked-on-external", "service-slug-type", external),
    lenient("type-unchecked-beside-a-url", "service-type-enum", beside("external_url")),
    lenient("container-path-type-unchecked-beside-env", "container-path-type", beside("env_config")),
    lenient("env-name-type-unchecked-on-external", "env-name-type", external),
    lenient("labels-type-unchecked-for-dk", "required-labels-type", by("dk")),
    lenient("media-type-unchecked-for-dk", "body-media-type", by("dk")),
    lenient("malformed-json-taken-from-users-on-update", "body-json", all_of(on("update"), by("jwt"))),
    lenient("no-object-taken-from-users-on-update", "body-object", all_of(on("update"), by("jwt"))),
    lenient("external-services-of-others-reached", "team-scope", external),
    lenient("users-of-both-teams-reach-either", "team-scope", by("jwt-both")),
    lenient("services-of-others-reached-with-a-name-only", "team-scope", all_of(on("update"), alone)),
    lenient("unknown-id-taken-for-an-empty-update", "service-exists",
            lambda request, _service: request.operation == "update" and request.value == {}),
)  # fmt: skip


def dropped(name: str, broken: Test, place: Callable[[int, int], bool]) -> Callable[[Store], Interceptor]:
    """Does not look at the items in some places: broken ones are dropped before the mock sees them."""

    def intercept(request: Request, send: Send) -> Response:
        items = request.body.get(name)
        if not isinstance(items, list):
            return send(request)
        kept = [item for number, item in enumerate(items) if not (place(number, len(items)) and broken(item))]
        return send(request if len(kept) == len(items) else request.setting(**{name: kept}))

    return lambda _store: intercept


def no_text(value: Any) -> bool:
    """Passes what is no text."""
    return not isinstance(value, str)


def no_object(value: Any) -> bool:
    """Passes what is no object."""
    return not isinstance(value, dict)


PLACES: tuple[Fault, ...] = (
    remembering("first-label-unchecked", "required-labels-item-type",
                dropped("required_labels", no_text, lambda number, _count: number == 0)),
    remembering("labels-unchecked-from-the-sixth", "required-labels-item-type",
                dropped("required_labels", no_text, lambda number, _count: number > 4)),
    remembering("last-volume-unchecked", "volume-config-item-type",
                dropped("volume_config", no_object, lambda number, count: number > 0 and number == count - 1)),
    remembering("env-items-unchecked-from-the-eleventh", "env-config-item-type",
                dropped("env_config", no_object, lambda number, _count: number > 9)),
    remembering("env-items-in-the-middle-unchecked", "env-config-item-type",
                dropped("env_config", no_object, lambda number, count: 0 < number < count - 1)),
)  # fmt: skip


def refused_where(*conditions: Company, status: int = 400) -> Callable[[Store], Interceptor]:
    """Refuses requests that the pages allow."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            holds = request.operation and all_of(*conditions)(request, service_of(store, request))
            return Response(status) if holds else send(request)

        return intercept

    return planted


def value(name: str, test: Test) -> Company:
    """Requests with a value that passes a test."""
    return lambda request, _service: name in request.body and test(request.body[name])


def _many(most: int) -> Company:
    return lambda request, _service: len(request.body) > most


def _null(request: Request, _service: Service | None) -> bool:
    return request.operation == "update" and request.body.get(_CREDENTIAL, "") is None


def _without_one(_request: Request, service: Service | None) -> bool:
    return service is not None and service.values.get(_CREDENTIAL) is None


def _unchanged(store: Store) -> Interceptor:
    """Refuses an update of which every value is stored already."""

    def intercept(request: Request, send: Send) -> Response:
        service = service_of(store, request)
        same = service is not None and all(
            service.values.get(name, ...) == sent for name, sent in request.body.items()
        )
        return REFUSED if same and request.body and request.operation == "update" else send(request)

    return intercept


_EXTERNAL = {
    "unused-properties-accepted": "the service is external, and its update or create is refused",
    "created-stored": "what is refused is not stored",
    "updated-stored": "what is refused is not stored",
}
_STORED = {name: reason for name, reason in _EXTERNAL.items() if name.endswith("stored")}

STRICT: tuple[Fault, ...] = (
    remembering("replicas-beside-volumes-refused", "volume-config-type",
                refused_where(value("replica_count", above(1)), beside("volume_config")), also=_STORED),
    remembering("all-gpus-beside-replicas-refused", "gpu-count-type",
                refused_where(value("gpu_count", is_(-1)), value("replica_count", above(1))), also=_STORED),
    remembering("gpus-on-external-refused", "gpu-count-type",
                refused_where(external, value("gpu_count", is_(0, 1, 8, -1))), also=_EXTERNAL),
    remembering("env-on-external-create-refused", "env-config-type",
                refused_where(on("create"), external, beside("env_config")), also=_EXTERNAL),
    remembering("volumes-on-external-update-refused", "volume-config-type",
                refused_where(on("update"), external, beside("volume_config")), also=_EXTERNAL),
    remembering("port-65535-refused-on-external", "exposed-port-range",
                refused_where(external, value("exposed_port", is_(65535))), also=_STORED),
    remembering("slug-of-100-refused-on-external", "service-slug-pattern",
                refused_where(external, value("service_slug", over(99))), also=_STORED),
    remembering("name-of-255-refused-for-users", "display-name-length",
                refused_where(by("jwt"), value("display_name", over(254))), also=_STORED),
    remembering("name-empty-refused-for-blue", "display-name-type",
                refused_where(blue, value("display_name", is_(""))), also=_STORED),
    remembering("desc-over-1000-refused-on-external", "texts-unbounded",
                refused_where(external, value("service_desc", over(1000))), also=_STORED),
    remembering("prompt-over-2000-refused-for-dk", "texts-unbounded",
                refused_where(by("dk"), value("usage_prompt", over(2000))), also=_STORED),
    remembering("empty-env-value-beside-another-refused", "env-config-type",
                refused_where(value("env_config", over(1)), value("env_config", some(is_(""), "env_value"))),
                also=_STORED | dict.fromkeys(("env-value-type", "texts-unbounded"), "an empty text is refused")),
    remembering("long-label-on-update-for-users-refused", "texts-unbounded",
                refused_where(on("update"), by("jwt"), value("required_labels", some(over(128)))), also=_STORED),
    remembering("url-with-a-query-refused-beside-a-credential", "external-url-format",
                refused_where(beside(_CREDENTIAL), value("external_url", text(lambda v: "?" in v))), also=_STORED),
    remembering("update-of-ten-properties-refused", "update-partial",
                refused_where(on("update"), _many(9)), also=_STORED),
    remembering("empty-update-refused", "update-partial", refused_where(
        lambda request, _service: request.operation == "update" and request.value == {})),
    remembering("empty-update-crashes-on-external", "update-partial", refused_where(
        lambda request, service: request.operation == "update" and request.value == {} and
        external(request, service), status=500)),
    remembering("update-of-one-property-refused-for-users", "update-partial",
                refused_where(on("update"), by("jwt"), alone), also=_EXTERNAL),
    remembering("update-without-a-change-refused", "update-partial", _unchanged, also={
        **_STORED, "service-type-immutable": "an update of the value that is stored is refused",
        "external-credential-null-keeps": "an update of the value that is stored is refused"}),
    remembering("credential-without-a-url-refused-on-update", "update-partial",
                refused_where(on("update"), value(_CREDENTIAL, text(lambda v: v != "")),
                              lambda request, _service: "external_url" not in request.body),
                also=_STORED | {"external-credential-format": "a credential that is a UUID is refused",
                                "external-credential-type": "a credential that is a string is refused"}),
    remembering("null-credential-beside-others-refused", "external-credential-null-accepted",
                refused_where(_null, _many(1))),
    remembering("null-credential-alone-refused", "external-credential-null-accepted", refused_where(_null, alone)),
    remembering("null-credential-refused-where-there-is-none", "external-credential-null-accepted",
                refused_where(_null, external, _without_one)),
    remembering("null-credential-crashes-for-users", "external-credential-null-accepted",
                refused_where(_null, by("jwt"), status=500)),
)  # fmt: skip

COMPANY = (*UNCHECKED, *PLACES, *STRICT)
