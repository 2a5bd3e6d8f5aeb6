"""The choices of the example deployment as a profile, and an app that shows where deployment and mock part."""

import io
import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from examples.deployment.choices import (
    BODY_FIRST,
    PATH_FIRST,
    SHAPE_FIRST,
    STATE_FIRST,
    Choices,
)
from mock_server import create_app
from tests.support.gate.example_app import build_deployment_app
from tests.support.gate.gate import EXAMPLE_HOOK, MOCK_HOOK

_ORDERS = {
    SHAPE_FIRST: "shape-first",
    STATE_FIRST: "state-first",
    PATH_FIRST: "path-first",
    BODY_FIRST: "body-first",
}
_ERROR_BODIES = {"reasons": "json", "problem": "problem", "text": "text", "empty": "empty"}
_PARAMETERS = {"refused": "none", "utf8": "utf-8", "any": "any"}
_ITEM_PROPERTIES = ("env-name", "env-value", "host-path", "container-path")
_REFUSED = {True: "refused", False: "accepted"}
_STATUSES = {
    "unauthenticated-status": "auth_status",
    "unknown-token-status": "unknown_token_status",
    "agent-key-status": "agent_status",
    "malformed-team-status": "malformed_team_status",
    "foreign-team-status": "foreign_team_status",
    "malformed-id-status": "malformed_id_status",
    "unknown-service-status": "unknown_service_status",
    "foreign-service-status": "foreign_service_status",
    "busy-status": "busy_status",
    "slug-taken-status": "slug_taken_status",
    "external-only-status": "type_rule_status",
    "media-type-status": "media_type_status",
    "malformed-body-status": "malformed_status",
    "invalid-body-status": "violation_status",
    "created-status": "create_status",
    "updated-status": "update_status",
}
_REFUSALS = {
    "repeated-keys": "repeated_keys_refused",
    "nul-characters": "nul_refused",
    "gpu-count-below-minus-one": "gpu_below_minus_one_refused",
    "credential-on-deployed": "deployed_credential_refused",
    "external-url-on-deployed": "deployed_external_url_refused",
    "docker-image-on-external": "external_docker_image_refused",
    "empty-docker-image": "empty_docker_image_refused",
    "private-hosts": "private_hosts_refused",
    "control-characters": "control_characters_refused",
    "large-gpu-counts": "large_gpu_counts_refused",
    "empty-env-name": "empty_env_names_refused",
    "docker-image-on-external-update": "external_docker_image_update_refused",
    "empty-docker-image-on-update": "empty_docker_image_update_refused",
    "one-label-hosts": "one_label_hosts_refused",
    "credential-capitals": "credential_capitals_refused",
    "credential-versions": "credential_versions_refused",
}
#: What a deployment reads: the field of its choices, and the option if it does.
_READ = {
    "id-forms": ("id_forms_read", "accepted"),
    "other-json-types": ("other_json_types_read", "json"),
    "other-encodings": ("other_encodings_read", "accepted"),
    "null-update-body": ("null_update_is_object", "accepted"),
    "null-items": ("null_items_dropped", "absent"),
    "null-item-properties": ("null_item_properties_dropped", "absent"),
    "url-characters": ("url_characters_accepted", "accepted"),
    "credential-forms": ("credential_forms_read", "accepted"),
}


def profile_of(choices: Choices) -> dict[str, Any]:
    """Return the profile that a deployment with these choices has."""
    chosen: dict[str, Any] = {name: getattr(choices, attribute) for name, attribute in _STATUSES.items()}
    chosen |= {name: _REFUSED[getattr(choices, attribute)] for name, attribute in _REFUSALS.items()}
    chosen |= {
        name: option if getattr(choices, attribute) else "refused"
        for name, (attribute, option) in _READ.items()
    }
    chosen |= dict.fromkeys(_ITEM_PROPERTIES, "required" if choices.item_properties_required else "optional")
    chosen |= {
        "check-order": _ORDERS[choices.order],
        "reported-violations": choices.report,
        "error-body": _ERROR_BODIES[choices.error_body],
        "bearer-case": "exact" if choices.scheme_case_matters else "any",
        "service-keys": f"refused-{choices.sk_refused_status}" if choices.sk_refused_status else "accepted",
        "empty-team": "missing" if choices.empty_team_is_missing else "malformed",
        "largest-body": choices.max_body_bytes or 1_073_741_824,
        "missing-media-type": "json" if choices.missing_type_is_json else "refused",
        "media-type-parameters": _PARAMETERS[choices.media_type_parameters],
        "empty-update-body": "accepted" if choices.empty_update_is_object else "refused",
        "integral-floats": "accepted" if choices.integral_floats_accepted else "refused",
        "unknown-properties": choices.unknown_properties,
        "unknown-item-properties": choices.unknown_properties,
        "immutable-properties": choices.immutable_on_update,
        "null-on-create": choices.null_on_create,
        "null-on-update": choices.null_on_update,
        "unknown-credentials": _REFUSED[choices.known_credentials is not None],
        "urls-without-host": "refused",
        "repeated-env-names": choices.repeated_env_names,
        "unused-docker-image": "shown",
        "id-version": "7" if choices.id_style == "lower7" else "4",
        "id-case": "upper" if choices.id_style == "upper4" else "lower",
        "extra-answer-properties": "present" if choices.extra_in_answers else "absent",
        "absent-values": choices.absent_in_readback,
        # Where both have one status, both options mean the same.
        "half-surrogates": "invalid" if choices.violation_status == choices.malformed_status else "malformed",
    }
    return {"choices": chosen}


@dataclass
class Answer:
    """The answer of an app: status, media type and JSON value of the body (or its bytes)."""

    status: int
    media_type: str
    body: bytes

    @property
    def value(self) -> Any:
        """The JSON value of the body, or None."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass
class TwinApp:
    """Sends each request to a deployment and to the mock with its profile, and notes where their answers part.

    The mock gives a new service the id that the deployment gave, so that both take the same requests, one at a time
    and in one order. The answers of the deployment are returned. ``profile`` is the mock's, if it is not that of the
    choices.
    """

    choices: Choices
    profile: dict[str, Any] | None = None
    requests: int = 0
    differences: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._deployment = build_deployment_app(self.choices)
        self._mock = create_app(
            profile=self.profile or profile_of(self.choices), new_id=lambda: self._id or str(uuid4())
        )
        self._id = ""
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer as the deployment does."""
        raw = _read(environ)
        with self._lock:
            return self._answer(environ, raw, start_response)

    def _answer(self, environ: dict[str, Any], raw: bytes, start_response: Any) -> Iterable[bytes]:
        theirs = _call(self._deployment, environ, raw, start_response)
        created = environ["REQUEST_METHOD"] == "POST" and isinstance(theirs.value, dict)
        self._id = str(theirs.value.get("id") or "").lower() if created else ""
        hook, path = EXAMPLE_HOOK.partition("{")[0], environ["PATH_INFO"]
        is_hook = path.startswith(hook)
        if is_hook:
            path = MOCK_HOOK.partition("{")[0] + path.removeprefix(hook)
        ours = _call(self._mock, {**environ, "PATH_INFO": path}, raw, lambda *_: None)
        self.requests += 1
        is_readback = environ["REQUEST_METHOD"] == "GET"
        if not is_hook and (self.choices.readback or not is_readback):  # the mock always offers read-backs
            self._compare(environ, raw, theirs, ours)
        return [theirs.body]

    def _compare(self, environ: dict[str, Any], raw: bytes, theirs: Answer, ours: Answer) -> None:
        same = theirs.status == ours.status and _shape(theirs) == _shape(ours)
        if not same:
            headers = {
                name: value for name, value in environ.items() if name.startswith(("HTTP_", "CONTENT_T"))
            }
            self.differences.append(
                f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {headers} {raw[:300]!r}:\n"
                f"    deployment {theirs.status} {theirs.media_type} {theirs.body[:300]!r}\n"
                f"    mock       {ours.status} {ours.media_type} {ours.body[:300]!r}\n"
                f"    {_different_values(theirs.value, ours.value)}"
            )


def _different_values(theirs: Any, ours: Any) -> dict[str, Any]:
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        return {}
    names = sorted({*theirs, *ours})
    pairs = {name: (theirs.get(name, "absent"), ours.get(name, "absent")) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _shape(answer: Answer) -> Any:
    """Return what is compared of an answer: the values of a success but its times, the media type of a refusal."""
    if not 200 <= answer.status < 300:
        return answer.media_type.partition(";")[0] if answer.body else "empty"
    if not isinstance(answer.value, dict):
        return answer.body
    return {
        name: value
        for name, value in answer.value.items()
        if name not in ("created_at", "updated_at", "warnings")
    }


def _read(environ: dict[str, Any]) -> bytes:
    whole = environ.get("wsgi.input_terminated", False)
    body: bytes = environ["wsgi.input"].read(-1 if whole else int(environ.get("CONTENT_LENGTH") or 0))
    return body


def _call(app: Any, environ: dict[str, Any], raw: bytes, start_response: Any) -> Answer:
    found: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        found.append((int(status.split()[0]), {name.lower(): value for name, value in headers}))
        return start_response(status, headers, *rest)

    body = b"".join(app({**environ, "wsgi.input": io.BytesIO(raw)}, start))
    status, headers = found[0]
    return Answer(status, headers.get("content-type", ""), body)
