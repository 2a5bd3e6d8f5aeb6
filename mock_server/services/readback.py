"""A service as the read-back shows it."""

from datetime import datetime
from typing import Any

from mock_server.services.model import UNUSED_PROPERTIES, Service

#: Shown in this order; absent properties are left out.
READBACK_PROPERTIES = (
    "service_desc",
    "service_type",
    "docker_image",
    "exposed_port",
    "health_path",
    "env_config",
    "volume_config",
    "required_labels",
    "gpu_count",
    "replica_count",
    "usage_prompt",
    "openapi_url",
    "external_url",
    "external_auth_credential_id",
)

_ARRAYS = frozenset({"env_config", "volume_config", "required_labels"})


def service_to_json(
    service: Service, absent: str = "omitted", *, unused_image: bool = False
) -> dict[str, Any]:
    """Return the service as JSON values, without the properties that its type does not use.

    `absent` is an option of the choice `absent-values`: how properties look that were never sent. With
    `unused_image` the `docker_image` of an external service is shown.
    """
    kind = service.values.get("service_type")
    unused = UNUSED_PROPERTIES.get(kind, ()) if isinstance(kind, str) else ()
    shown_unused = {"docker_image"} if unused_image else set()
    used = [name for name in READBACK_PROPERTIES if name not in {*unused} - shown_unused]
    shown = {name: service.values[name] for name in used if name in service.values}
    if absent != "omitted":
        missing = (name for name in [*used, "docker_image"] if name not in shown)
        shown |= {name: _empty_value(name) if absent == "empty" else None for name in missing}
    return {
        "id": service.id,
        "service_slug": service.slug,
        "display_name": service.values.get("display_name"),
        "created_at": _rfc3339(service.created_at),
        "updated_at": _rfc3339(service.updated_at),
        **shown,
        "service_status": service.status,
    }


def _empty_value(name: str) -> object:
    if name == "external_auth_credential_id":
        return None
    return [] if name in _ARRAYS else ""


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
