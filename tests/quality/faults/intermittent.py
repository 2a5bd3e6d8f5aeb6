"""Faults that show now and then: every other or third time, from some time on, or on one instance of several."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from mock_server.services.model import Service, SlugTakenError, Store, Transaction
from tests.quality.faults.bleeding import copies
from tests.quality.faults.strict_values import over
from tests.quality.faults.unique import Other
from tests.support.gate.messages import (
    Interceptor,
    Request,
    Response,
    Send,
    When,
)
from tests.support.gate.planting import (
    Fault,
    Write,
    build_mock,
    holds,
    remembering,
    rewrites,
    sending,
    stored_in,
)

Times = Callable[[int], bool]


def every(period: int) -> Times:
    """The last time of each so many; times count from 0."""
    return lambda number: number % period == period - 1


def since(count: int) -> Times:
    """Every time but the first ones."""
    return lambda number: number >= count


def forgiving(name: str, rule: str, times: Times) -> Fault:
    """A rule that is not enforced some of the times that a request breaks it."""

    def planted(store: Store) -> Interceptor:
        off, number = sending(build_mock(store, {rule})), itertools.count()

        def intercept(request: Request, send: Send) -> Response:
            response = send(request)
            return off(request) if rule in response.broken and times(next(number)) else response

        return intercept

    return remembering(name, rule, planted)


def instance(name: str, rule: str, operation: str, count: int) -> Fault:
    """A rule that one of some instances does not have; the requests of an operation go to them in turn."""

    def planted(store: Store) -> Interceptor:
        off, number = sending(build_mock(store, {rule})), itertools.count()

        def intercept(request: Request, send: Send) -> Response:
            if request.operation != operation:
                return send(request)
            return off(request) if every(count)(next(number)) else send(request)

        return intercept

    return remembering(name, rule, planted)


def now_and_then(when: When, times: Times, instead: Interceptor) -> Callable[[Store], Interceptor]:
    """Treats some of the requests that a condition holds for otherwise."""

    def planted(_store: Store) -> Interceptor:
        number = itertools.count()

        def intercept(request: Request, send: Send) -> Response:
            return instead(request, send) if when(request) and times(next(number)) else send(request)

        return intercept

    return planted


def rewritten(
    operation: str, times: Times, change: Callable[[Write], Mapping[str, Any]]
) -> Callable[[Store], Interceptor]:
    """Stores otherwise what some of the accepted requests send that the change applies to."""

    def planted(store: Store) -> Interceptor:
        number = itertools.count()

        def changed(write: Write) -> Mapping[str, Any]:
            other = change(write)
            return other if other and times(next(number)) else {}

        return rewrites(operation, changed)(store)

    return planted


FORGIVING: tuple[Fault, ...] = (
    *(
        forgiving(f"{rule}-not-the-second-time", rule, every(2))
        for rule in (
            "display-name-length", "external-url-pattern", "service-slug-pattern", "gpu-count-type",
            "health-path-type", "auth-bearer", "auth-known", "team-uuid", "service-type-enum",
            "required-labels-item-type",
        )
    ),
    *(
        forgiving(f"{rule}-not-the-third-time", rule, every(3))
        for rule in ("exposed-port-range", "slug-unique", "team-scope", "not-while-busy", "auth-agent",
                     "team-required-for-jwt", "external-url-on-external-only")
    ),
    *(
        forgiving(f"{rule}-once-only", rule, since(1))
        for rule in ("external-credential-format", "docker-image-type", "openapi-url-length", "display-name-type",
                     "external-credential-on-external-only", "service-id-format")
    ),
    instance("port-type-unchecked-on-the-second-instance", "exposed-port-type", "update", 2),
    instance("env-items-unchecked-on-the-second-instance", "env-config-item-type", "create", 2),
    instance("url-not-required-on-the-third-instance", "external-url-required", "create", 3),
    instance("jwt-needs-no-team-on-the-second-instance", "team-required-for-jwt", "update", 2),
    instance("volumes-unchecked-on-the-second-instance", "volume-config-type", "update", 2),
)  # fmt: skip


class OwnIndexes(Other):
    """Two instances that take creates in turn, each of which knows the slugs of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._known: tuple[set[object], set[object]] = (set(), set())
        self._number = itertools.count()

    def add(self, step: Transaction, service: Service, *, unique: bool) -> None:
        """Looks into the index of one instance."""
        index, key = self._known[next(self._number) % 2], (service.team, service.slug)
        if unique and key in index:
            raise SlugTakenError(service.slug)
        step.add(service, unique=False)
        index.add(key)


def on(operation: str, name: str = "") -> When:
    """Requests of an operation, or those that send a property."""
    return lambda request: request.operation == operation and (not name or name in request.body)


def without(name: str) -> Callable[[Write], Mapping[str, Any]]:
    """Keeps what was stored of a property, or nothing."""
    return lambda write: {name: write.old.get(name)} if name in write.sent else {}


def _nothing_stored(write: Write) -> Mapping[str, Any]:
    return {name: write.old.get(name) for name in write.sent if name in write.after.values}


def _cut(name: str, most: int) -> Callable[[Write], Mapping[str, Any]]:
    return lambda write: {name: write.sent[name][:most]} if over(most)(write.sent.get(name)) else {}


def _reset(name: str, value: Any) -> Callable[[Write], Mapping[str, Any]]:
    return lambda write: {name: value} if name not in write.sent else {}


def _null_clears(write: Write) -> Mapping[str, Any]:
    name = "external_auth_credential_id"
    return {name: None} if write.sent.get(name, "") is None else {}


def _without_id(request: Request, send: Send) -> Response:
    response = send(request)
    return response.with_value({}) if response.accepted else response


def _another_id(request: Request, send: Send) -> Response:
    response = send(request)
    return response.with_value({"id": str(uuid4())}) if response.accepted else response


def _refused(_request: Request, _send: Send) -> Response:
    return Response(400)


def _longer(operation: str, name: str, most: int) -> When:
    return lambda request: holds(request, operation, name, over(most))


_NOT_STORED = {
    "created-stored": "what is refused is not stored",
    "updated-stored": "what is refused is not stored",
}

STORING: tuple[Fault, ...] = (
    stored_in("each-instance-has-its-own-slugs", "slug-unique", OwnIndexes),
    remembering("each-instance-updates-a-copy", "update-keeps-omitted", copies(lambda _request, number: number % 2)),
    remembering("every-third-update-not-stored", "updated-stored", rewritten("update", every(3), _nothing_stored)),
    remembering("every-other-name-not-stored-on-update", "updated-stored",
                rewritten("update", every(2), without("display_name"))),
    remembering("every-other-create-without-its-labels", "created-stored",
                rewritten("create", every(2), without("required_labels"))),
    remembering("every-third-create-without-its-variables", "created-stored",
                rewritten("create", every(3), without("env_config"))),
    remembering("every-other-null-clears-the-credential", "external-credential-null-keeps",
                rewritten("update", every(2), _null_clears)),
    remembering("every-third-update-resets-the-port", "update-keeps-omitted",
                rewritten("update", every(3), _reset("exposed_port", 8080))),
    remembering("descriptions-cut-after-ten-long-ones", "created-stored",
                rewritten("create", since(10), _cut("service_desc", 20))),
    remembering("prompts-not-stored-after-the-fifth-update", "updated-stored",
                rewritten("update", since(5), without("usage_prompt"))),
    remembering("every-other-create-answers-another-id", "created", now_and_then(on("create"), every(2), _another_id),
                also={"updated": "no service has the id that the create answered",
                      "update-partial": "no service has the id that the create answered",
                      "updated-stored": "no service has the id that the create answered"}),
    remembering("every-third-update-answers-no-id", "updated", now_and_then(on("update"), every(3), _without_id)),
    remembering("every-other-long-description-refused", "texts-unbounded",
                now_and_then(_longer("", "service_desc", 255), every(2), _refused), also=_NOT_STORED),
    remembering("every-third-null-credential-refused", "external-credential-null-accepted",
                now_and_then(lambda r: r.operation == "update" and
                             r.body.get("external_auth_credential_id", "") is None, every(3), _refused)),
    remembering("every-other-list-in-accept-refused", "request-forms",
                now_and_then(lambda r: r.operation != "" and "," in (r.header("Accept") or ""), every(2), _refused)),
    remembering("second-instance-takes-names-up-to-100", "display-name-length",
                now_and_then(_longer("", "display_name", 100), every(2), _refused), also=_NOT_STORED),
    remembering("second-instance-knows-no-gpus", "gpu-count-type",
                now_and_then(on("update", "gpu_count"), every(2), _refused), also=_NOT_STORED),
)  # fmt: skip

INTERMITTENT = (*FORGIVING, *STORING)
