"""What the public pages leave open, and how this deployment decides it.

Every field of ``Choices`` is one point on which the pages are silent. The defaults are, on purpose, rarely
what one would think of first; ``USUAL`` holds the opposite decisions; ``VARIANTS`` changes one at a time.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

Stage = Literal["auth", "team", "path", "state", "body"]

STATE_FIRST: tuple[Stage, ...] = ("auth", "team", "path", "state", "body")
SHAPE_FIRST: tuple[Stage, ...] = ("auth", "team", "path", "body", "state")
BODY_FIRST: tuple[Stage, ...] = ("body", "path", "auth", "team", "state")
PATH_FIRST: tuple[Stage, ...] = ("path", "auth", "body", "team", "state")


@dataclass(frozen=True)
class Choices:
    # Order of the checks (auth before team, team and path before state), and how faults are told.
    order: tuple[Stage, ...] = STATE_FIRST
    report: Literal["first", "all"] = "first"
    error_body: Literal["reasons", "problem", "text", "empty"] = "reasons"

    # Who may call.
    auth_status: int = 403
    unknown_token_status: int = 403
    agent_status: int = 401
    sk_refused_status: int | None = None  # a status refuses every sk- caller on the two operations
    scheme_case_matters: bool = True
    malformed_team_status: int = 422
    empty_team_is_missing: bool = False
    foreign_team_status: int = 404

    # Which service.
    malformed_id_status: int = 404
    id_forms_read: bool = False
    unknown_service_status: int = 403
    foreign_service_status: int = 403
    busy_status: int = 423
    slug_taken_status: int = 400
    type_rule_status: int = 409

    # How bytes become a JSON object.
    max_body_bytes: int | None = 65536
    media_type_status: int = 400
    missing_type_is_json: bool = True
    media_type_parameters: Literal["refused", "utf8", "any"] = "refused"
    other_json_types_read: bool = False
    other_encodings_read: bool = False
    malformed_status: int = 422
    empty_update_is_object: bool = True
    null_update_is_object: bool = False
    repeated_keys_refused: bool = False
    integral_floats_accepted: bool = False

    # What the object may hold.
    violation_status: int = 422
    unknown_properties: Literal["refused", "ignored"] = "refused"
    immutable_on_update: Literal["refused", "ignored"] = "refused"
    null_on_create: Literal["absent", "refused"] = "absent"
    null_on_update: Literal["absent", "refused"] = "absent"
    null_items_dropped: bool = False
    null_item_properties_dropped: bool = False
    nul_refused: bool = True
    control_characters_refused: bool = False
    large_gpu_counts_refused: bool = False
    empty_env_names_refused: bool = False
    repeated_env_names: Literal["kept", "merged", "refused"] = "kept"
    gpu_below_minus_one_refused: bool = False
    item_properties_required: bool = False
    deployed_credential_refused: bool = True
    deployed_external_url_refused: bool = True
    external_docker_image_refused: bool = True
    external_docker_image_update_refused: bool = False
    empty_docker_image_refused: bool = True
    empty_docker_image_update_refused: bool = False
    private_hosts_refused: bool = True
    one_label_hosts_refused: bool = False
    url_characters_accepted: bool = False
    credential_forms_read: bool = False
    credential_capitals_refused: bool = False
    credential_versions_refused: bool = False
    known_credentials: frozenset[str] | None = None  # a set refuses every other credential reference

    # How answers look.
    create_status: int = 200
    update_status: int = 202
    id_style: Literal["upper4", "lower4", "lower7"] = "upper4"
    extra_in_answers: bool = True
    options_answered: bool = True
    readback: bool = True
    absent_in_readback: Literal["omitted", "null", "empty"] = "omitted"


DEFAULT = Choices()

USUAL = Choices(
    order=SHAPE_FIRST,
    report="all",
    error_body="problem",
    auth_status=401,
    unknown_token_status=401,
    agent_status=403,
    scheme_case_matters=False,
    malformed_team_status=400,
    empty_team_is_missing=True,
    foreign_team_status=403,
    malformed_id_status=400,
    unknown_service_status=404,
    foreign_service_status=404,
    busy_status=409,
    slug_taken_status=409,
    type_rule_status=400,
    max_body_bytes=None,
    media_type_status=415,
    missing_type_is_json=False,
    media_type_parameters="any",
    malformed_status=400,
    empty_update_is_object=False,
    repeated_keys_refused=True,
    integral_floats_accepted=True,
    violation_status=400,
    unknown_properties="ignored",
    immutable_on_update="ignored",
    null_on_create="refused",
    null_on_update="refused",
    nul_refused=False,
    gpu_below_minus_one_refused=True,
    item_properties_required=True,
    deployed_credential_refused=False,
    deployed_external_url_refused=False,
    external_docker_image_refused=False,
    empty_docker_image_refused=False,
    private_hosts_refused=False,
    create_status=201,
    update_status=200,
    id_style="lower7",
    extra_in_answers=False,
    options_answered=False,
    absent_in_readback="null",
)

_CHANGES: dict[str, dict[str, Any]] = {
    "order-shape-first": {"order": SHAPE_FIRST},
    "order-body-first": {"order": BODY_FIRST},
    "order-path-first": {"order": PATH_FIRST},
    "report-all": {"report": "all"},
    "errors-problem": {"error_body": "problem"},
    "errors-text": {"error_body": "text"},
    "errors-empty": {"error_body": "empty"},
    "auth-401": {"auth_status": 401},
    "unknown-token-401": {"unknown_token_status": 401},
    "agent-403": {"agent_status": 403},
    "sk-refused-403": {"sk_refused_status": 403},
    "sk-refused-401": {"sk_refused_status": 401},
    "scheme-any-case": {"scheme_case_matters": False},
    "malformed-team-400": {"malformed_team_status": 400},
    "empty-team-missing": {"empty_team_is_missing": True},
    "foreign-team-403": {"foreign_team_status": 403},
    "malformed-id-400": {"malformed_id_status": 400},
    "malformed-id-422": {"malformed_id_status": 422},
    "unknown-service-404": {"unknown_service_status": 404},
    "foreign-service-404": {"foreign_service_status": 404},
    "busy-409": {"busy_status": 409},
    "busy-412": {"busy_status": 412},
    "slug-taken-409": {"slug_taken_status": 409},
    "slug-taken-422": {"slug_taken_status": 422},
    "type-rule-400": {"type_rule_status": 400},
    "any-body-size": {"max_body_bytes": None},
    "media-type-415": {"media_type_status": 415},
    "media-type-required": {"missing_type_is_json": False},
    "parameters-utf8": {"media_type_parameters": "utf8"},
    "parameters-any": {"media_type_parameters": "any"},
    "malformed-400": {"malformed_status": 400},
    "empty-update-refused": {"empty_update_is_object": False},
    "repeated-keys-refused": {"repeated_keys_refused": True},
    "integral-floats-accepted": {"integral_floats_accepted": True},
    "violation-400": {"violation_status": 400},
    "unknown-ignored": {"unknown_properties": "ignored"},
    "immutable-ignored": {"immutable_on_update": "ignored"},
    "null-create-refused": {"null_on_create": "refused"},
    "null-update-refused": {"null_on_update": "refused"},
    "nul-accepted": {"nul_refused": False},
    "gpu-below-refused": {"gpu_below_minus_one_refused": True},
    "item-properties-required": {"item_properties_required": True},
    "deployed-credential-accepted": {"deployed_credential_refused": False},
    "deployed-external-url-accepted": {"deployed_external_url_refused": False},
    "external-docker-image-accepted": {"external_docker_image_refused": False},
    "empty-docker-image-accepted": {"empty_docker_image_refused": False},
    "private-hosts-accepted": {"private_hosts_refused": False},
    "credential-must-exist": {"known_credentials": frozenset()},
    "id-forms-read": {"id_forms_read": True},
    "other-json-types-read": {"other_json_types_read": True},
    "other-encodings-read": {"other_encodings_read": True},
    "null-update-accepted": {"null_update_is_object": True},
    "null-items-dropped": {"null_items_dropped": True},
    "null-item-properties-dropped": {"null_item_properties_dropped": True},
    "control-characters-refused": {"control_characters_refused": True},
    "large-gpu-counts-refused": {"large_gpu_counts_refused": True},
    "empty-env-names-refused": {"empty_env_names_refused": True},
    "env-names-merged": {"repeated_env_names": "merged"},
    "env-names-refused": {"repeated_env_names": "refused"},
    "external-docker-image-update-refused": {"external_docker_image_update_refused": True},
    "empty-docker-image-update-refused": {"empty_docker_image_update_refused": True},
    "one-label-hosts-refused": {"one_label_hosts_refused": True},
    "url-characters-accepted": {"url_characters_accepted": True},
    "credential-forms-read": {"credential_forms_read": True},
    "credential-capitals-refused": {"credential_capitals_refused": True},
    "credential-versions-refused": {"credential_versions_refused": True},
    "create-201": {"create_status": 201},
    "update-200": {"update_status": 200},
    "ids-lower-v4": {"id_style": "lower4"},
    "ids-lower-v7": {"id_style": "lower7"},
    "bare-answers": {"extra_in_answers": False},
    "options-refused": {"options_answered": False},
    "no-readback": {"readback": False},
    "absent-null": {"absent_in_readback": "null"},
    "absent-empty": {"absent_in_readback": "empty"},
}

VARIANTS: dict[str, Choices] = {name: replace(DEFAULT, **change) for name, change in _CHANGES.items()}


def named(name: str) -> Choices:
    """``default``, ``usual`` or the name of a variant."""
    return {"default": DEFAULT, "usual": USUAL, **VARIANTS}[name]
