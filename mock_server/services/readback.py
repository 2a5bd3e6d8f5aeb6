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


def service_to_json(service: Service) -> dict[str, Any]:
    """Return the service as JSON values, without the properties that its type does not use."""
    kind = service.values.get("service_type")
    unused = UNUSED_PROPERTIES.get(kind, ()) if isinstance(kind, str) else ()
    names = (name for name in READBACK_PROPERTIES if name in service.values and name not in unused)
    return {
        "id": service.id,
        "service_slug": service.slug,
        "display_name": service.values.get("display_name"),
        "created_at": _rfc3339(service.created_at),
        "updated_at": _rfc3339(service.updated_at),
        **{name: service.values[name] for name in names},
        "service_status": service.status,
    }


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
