"""The probe of each choice, in the order in which they are sent."""

from collections.abc import Callable, Mapping
from functools import partial

from contract_tests.calibration.probes import (
    answers,
    callers,
    creates,
    process,
    reading,
    services,
    size,
    values,
)
from contract_tests.calibration.probing.prober import Prober
from contract_tests.calibration.probing.sighting import Sighting

Probe = Callable[[Prober], Sighting]


def _try(choice: str, accepted: str = "accepted", refused: str = "refused") -> Probe:
    return partial(values.try_values, choice=choice, accepted=accepted, refused=refused)


#: The first one reads a service that no other has updated; the last ones read the answers to the others, or take many
#: requests.
PROBES: Mapping[str, Probe] = {
    "absent-values": answers.absent_values,
    "unauthenticated-status": callers.unauthenticated_status,
    "bearer-case": callers.bearer_case,
    "unknown-tokens": callers.unknown_tokens,
    "unknown-token-status": callers.unknown_token_status,
    "agent-key-status": callers.agent_key_status,
    "service-keys": callers.service_keys,
    "malformed-team-status": callers.malformed_team_status,
    "empty-team": callers.empty_team,
    "foreign-teams": callers.foreign_teams,
    "foreign-team-status": callers.foreign_team_status,
    "malformed-id-status": services.malformed_id_status,
    "id-forms": services.id_forms,
    "unknown-services": services.unknown_services,
    "unknown-service-status": services.unknown_service_status,
    "foreign-service-status": services.foreign_service_status,
    "busy-status": services.busy_status,
    "slug-taken-status": services.slug_taken_status,
    "external-only-status": services.external_only_status,
    "media-type-status": reading.media_type_status,
    "missing-media-type": reading.missing_media_type,
    "media-type-parameters": reading.media_type_parameters,
    "other-json-types": reading.other_json_types,
    "malformed-body-status": reading.malformed_body_status,
    "empty-update-body": reading.empty_update_body,
    "null-update-body": reading.null_update_body,
    "other-encodings": reading.other_encodings,
    "repeated-keys": reading.repeated_keys,
    "deep-bodies": reading.deep_bodies,
    "nul-characters": _try("nul-characters"),
    "control-characters": _try("control-characters"),
    "integral-floats": _try("integral-floats"),
    "invalid-body-status": values.invalid_body_status,
    "half-surrogates": reading.half_surrogates,
    "unknown-properties": _try("unknown-properties", "ignored"),
    "unknown-item-properties": _try("unknown-item-properties", "ignored"),
    "immutable-properties": values.immutable_properties,
    "null-on-create": creates.null_on_create,
    "null-on-update": values.null_on_update,
    "null-items": _try("null-items", "absent"),
    "null-item-properties": _try("null-item-properties", "absent"),
    "gpu-count-below-minus-one": _try("gpu-count-below-minus-one"),
    "large-gpu-counts": _try("large-gpu-counts"),
    "env-name": _try("env-name", "optional", "required"),
    "env-value": _try("env-value", "optional", "required"),
    "host-path": _try("host-path", "optional", "required"),
    "container-path": _try("container-path", "optional", "required"),
    "empty-env-name": _try("empty-env-name"),
    "credential-on-deployed": creates.credential_on_deployed,
    "external-url-on-deployed": creates.external_url_on_deployed,
    "docker-image-on-external": creates.docker_image_on_external,
    "docker-image-on-external-update": _try("docker-image-on-external-update"),
    "empty-docker-image": creates.empty_docker_image,
    "empty-docker-image-on-update": _try("empty-docker-image-on-update"),
    "private-hosts": _try("private-hosts"),
    "one-label-hosts": _try("one-label-hosts"),
    "urls-without-host": _try("urls-without-host"),
    "url-characters": _try("url-characters"),
    "credential-forms": _try("credential-forms"),
    "credential-capitals": _try("credential-capitals"),
    "credential-versions": _try("credential-versions"),
    "unknown-credentials": values.unknown_credentials,
    "repeated-items": values.repeated_items,
    "repeated-env-names": values.repeated_env_names,
    "unused-docker-image": answers.unused_docker_image,
    "reported-violations": process.reported_violations,
    "check-order": process.check_order,
    "created-status": answers.created_status,
    "updated-status": answers.updated_status,
    "id-version": answers.id_version,
    "id-case": answers.id_case,
    "extra-answer-properties": answers.extra_answer_properties,
    "largest-body": size.largest_body,
    "too-large-status": size.too_large_status,
    "error-body": answers.error_body,
}
