"""Faults in which a request changes more than it says: what it leaves out, another service, or what is refused."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mock_server.services.model import Service, Store
from tests.support.gate.messages import (
    Interceptor,
    Request,
    Response,
    Send,
)
from tests.support.gate.planting import (
    Fault,
    Write,
    remembering,
    rewrites,
    service_of,
    type_of,
)

_CREDENTIAL = "external_auth_credential_id"
_DEFAULTS = {"exposed_port": 8080, "health_path": "/health", "gpu_count": 0, "replica_count": 1}
_KEPT = ("service_slug", "service_type")


def resets(name: str, value: Any, *, sent: str = "", when: Callable[[Write], bool] | None = None) -> Fault:
    """A property that an update leaves out is set again, where the update sends another or a condition holds."""

    def change(write: Write) -> Mapping[str, Any]:
        asked = (not sent or sent in write.sent) and (when is None or when(write))
        return {name: value} if asked and name not in write.sent else {}

    title = f"{name.replace('_', '-')}-reset-by-{sent.replace('_', '-') or 'some-updates'}"
    return remembering(title, "update-keeps-omitted", rewrites("update", change))


def _reset_for(title: str, name: str, value: Any, when: Callable[[Write], bool]) -> Fault:
    return replace(resets(name, value, when=when), name=title)


def _snapshot(store: Store) -> Interceptor:
    """Applies each update to the service as it was created, so that of two updates the last one is kept."""
    made: dict[str, Service] = {}

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        if not response.accepted or not request.operation:
            return response
        with store.transaction() as step:
            now = step.get(response.value["id"])
            if now is not None and request.operation == "create":
                made[now.id] = now
            elif now is not None and now.id in made:
                sent = {name: now.values[name] for name in request.body if name in now.values}
                step.replace(replace(now, values={**made[now.id].values, **sent}))
        return response

    return intercept


def copies(instance: Callable[[Request, int], object]) -> Callable[[Store], Interceptor]:
    """Updates a service in copies that know nothing of each other's updates.

    ``instance`` tells the copy by the request, and by the number of the update of its service.
    """

    def planted(store: Store) -> Interceptor:
        made: dict[tuple[str, object], Mapping[str, Any]] = {}
        numbers: Counter[str] = Counter()

        def intercept(request: Request, send: Send) -> Response:
            before = service_of(store, request)
            response = send(request)
            if before is None or not response.accepted:
                return response
            key = (before.id, instance(request, numbers[before.id]))
            numbers[before.id] += 1
            mine = made.get(key, before.values)
            with store.transaction() as step:
                now = step.get(before.id)
                if now is not None:
                    sent = {name: now.values[name] for name in request.body if name in now.values}
                    made[key] = {**mine, **sent}
                    step.replace(replace(now, values={**mine, **sent}))
            return response

        return intercept

    return planted


LEFT_OUT: tuple[Fault, ...] = (
    resets("health_path", "/health", sent="exposed_port"),
    resets("volume_config", [], sent="env_config"),
    resets("env_config", [], sent="volume_config"),
    resets("gpu_count", 0, sent="docker_image"),
    resets("replica_count", 1, sent="gpu_count"),
    resets(_CREDENTIAL, None, sent="external_url"),
    resets("openapi_url", "", sent="usage_prompt"),
    resets("required_labels", [], sent="display_name"),
    _reset_for("desc-reset-by-an-empty-update", "service_desc", "", lambda w: not w.sent),
    _reset_for("port-reset-by-updates-of-users", "exposed_port", 8080, lambda w: w.request.kind == "jwt"),
    _reset_for("prompt-reset-on-external", "usage_prompt", "", lambda w: type_of(w.request, w.after) == "external"),
    _reset_for("health-path-reset-by-a-null-credential", "health_path", "/health",
               lambda w: w.sent.get(_CREDENTIAL, "") is None),
    remembering("each-update-starts-from-the-create", "update-keeps-omitted", _snapshot),
    remembering("each-kind-of-caller-updates-a-copy", "update-keeps-omitted",
                copies(lambda request, _number: request.kind)),
)  # fmt: skip


def _null_with_a_url(write: Write) -> Mapping[str, Any]:
    cleared = write.sent.get(_CREDENTIAL, "") is None and "external_url" in write.sent
    return {_CREDENTIAL: None} if cleared else {}


def _null_for_users(write: Write) -> Mapping[str, Any]:
    return (
        {_CREDENTIAL: None} if write.sent.get(_CREDENTIAL, "") is None and write.request.kind == "jwt" else {}
    )


Others = Callable[[list[Service], Service], list[Service]]


def bleeds(operation: str, others: Others, names: tuple[str, ...] = ()) -> Callable[[Store], Interceptor]:
    """Stores what an accepted request sends in other services too; ``others`` picks them, from the oldest on."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            response = send(request)
            if request.operation != operation or not response.accepted:
                return response
            with store.transaction() as step:
                mine = step.get(response.value["id"])
                sent = {n: v for n, v in request.body.items() if n not in _KEPT and (not names or n in names)}
                for other in others(step.all(), mine) if mine else ():
                    step.replace(replace(other, values={**other.values, **sent}))
            return response

        return intercept

    return planted


def _same_team(services: list[Service], mine: Service) -> list[Service]:
    return [other for other in services if other.team == mine.team and other.id != mine.id]


def _one_before(services: list[Service], mine: Service) -> list[Service]:
    """The service of the team that was created before."""
    return [other for other in _same_team(services, mine) if other.created_at <= mine.created_at][-1:]


def _same_slug(services: list[Service], mine: Service) -> list[Service]:
    return [other for other in services if other.slug == mine.slug and other.team != mine.team]


def _same_image(services: list[Service], mine: Service) -> list[Service]:
    image = mine.values.get("docker_image")
    return [s for s in _same_team(services, mine) if image and s.values.get("docker_image") == image]


_UNIQUE = {"slug-unique": "another team may use the same slug, for a service of its own"}
_SLUG = {"team-scope": "a service of another team is changed", **_UNIQUE}
_UPDATED = {"updated-stored": "the other service does not keep what was sent for it"}
_KEEPS = {"update-keeps-omitted": "the other service has values that nobody sent for it", **_UPDATED}
_CREATED = {"created-stored": "the other service does not keep what was created"}

OTHERS: tuple[Fault, ...] = (
    remembering("null-beside-a-url-clears-the-credential", "external-credential-null-keeps",
                rewrites("update", _null_with_a_url)),
    remembering("null-of-users-clears-the-credential", "external-credential-null-keeps",
                rewrites("update", _null_for_users)),
    remembering("update-changes-the-service-before", "updated-stored", bleeds("update", _one_before),
                also=_CREATED | _UPDATED),
    remembering("create-changes-the-service-before", "created-stored", bleeds("create", _one_before),
                also=_KEEPS),
    remembering("update-changes-the-same-slug-of-others", "team-scope", bleeds("update", _same_slug),
                also=_UNIQUE | _KEEPS | _CREATED),
    remembering("create-changes-the-same-slug-of-others", "team-scope", bleeds("create", _same_slug),
                also=_SLUG | _KEEPS | _CREATED),
    remembering("env-shared-by-services-of-an-image", "update-keeps-omitted",
                bleeds("update", _same_image, ("env_config",)), also=_CREATED | _UPDATED),
    remembering("prompt-shared-by-the-team", "update-keeps-omitted",
                bleeds("update", _same_team, ("usage_prompt",)), also=_CREATED | _UPDATED),
)  # fmt: skip


def half_applied(rule: str) -> Callable[[Store], Interceptor]:
    """Stores what an update sends although the update is refused for breaking a rule."""

    def planted(store: Store) -> Interceptor:
        def intercept(request: Request, send: Send) -> Response:
            response = send(request)
            service = service_of(store, request)
            if service is None or rule not in response.broken:
                return response
            sent = {n: v for n, v in request.body.items() if n not in _KEPT and v is not None}
            with store.transaction() as step:
                step.replace(replace(service, values={**service.values, **sent}))
            return response

        return intercept

    return planted


def _taken_overwrites(store: Store) -> Interceptor:
    """Stores a create that is refused for its slug in the service that has the slug."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        if "slug-unique" in response.broken:
            with store.transaction() as step:
                service = step.by_slug(request.team, request.body["service_slug"])
                if service is not None:
                    sent = {name: value for name, value in request.body.items() if name not in _KEPT}
                    step.replace(replace(service, values={**service.values, **sent}))
        return response

    return intercept


_REFUSED = {"updated-stored": "what a refused update sends is stored",
            "update-keeps-omitted": "a value changes that no accepted update sent"}  # fmt: skip

REFUSALS: tuple[Fault, ...] = (
    remembering("refused-while-busy-and-stored", "updated-stored", half_applied("not-while-busy"), also=_REFUSED),
    remembering("refused-for-the-team-and-stored", "team-scope", half_applied("team-scope"),
                also=_REFUSED | _CREATED),
    remembering("url-on-deployed-refused-and-the-rest-stored", "updated-stored",
                half_applied("external-url-on-external-only"), also=_REFUSED),
    remembering("credential-on-deployed-refused-and-the-rest-stored", "updated-stored",
                half_applied("external-credential-on-external-only"), also=_REFUSED),
    remembering("port-out-of-range-refused-and-stored", "updated-stored", half_applied("exposed-port-range"),
                also=_REFUSED),
    remembering("long-name-refused-and-stored", "updated-stored", half_applied("display-name-length"),
                also=_REFUSED),
    remembering("taken-slug-refused-and-its-service-changed", "created-stored", _taken_overwrites,
                also=_CREATED | _KEEPS),
)  # fmt: skip

BLEEDING = (*LEFT_OUT, *OTHERS, *REFUSALS)
