"""Telling values: valid values that show any alteration once they are read back.

Each has blanks at its ends, mixed letter case, composed and decomposed letters, markup, separators, or an order
that no sorting leaves alone. The last one of a property is empty, where an empty value is a value.
"""

from collections.abc import Mapping
from typing import Any

#: Values by property, in the order in which they are used.
TELLING_VALUES: Mapping[str, tuple[Any, ...]] = {
    "display_name": (" Telling N\u00e4me ", "e\u0301 <b>Telling</b> & 'one', \"two\"", "0"),
    "service_desc": (
        "  One,\n\ttwo & <i>Three</i> \\ \"four\"  ",
        "\u00e7 \u0416 \u4e2d \U0001f600 https://x.example/?a=1&b=2;c",
        "",
    ),
    "docker_image": (
        "registry.example.com:5000/team/app_1:v1.2-RC",
        f"ghcr.io/a/b.c@sha256:{'0f' * 32}",
        "nginx",
    ),
    "exposed_port": (1, 65535, 8081),
    "health_path": ("/Health/?a=B&c=%20#d", "healthz", ""),
    "env_config": (
        [
            {"env_name": "Z_LAST", "env_value": " z "},
            {"env_name": "A_FIRST", "env_value": ""},
            {"env_name": "mixed_Case", "env_value": "b=c,d;\"e\"\n<f>"},
        ],
        [{"env_name": "ONE", "env_value": "null"}, {"env_name": "ANOTHER", "env_value": "0123"}],
        [],
    ),
    "volume_config": (
        [
            {"host_path": "/z/My Data", "container_path": "/A"},
            {"host_path": "/a", "container_path": "/z:ro"},
        ],
        [{"host_path": "/only", "container_path": "/one"}],
        [],
    ),
    "required_labels": (["zone=B", "Gpu", "a label, with comma"], ["single"], []),
    "gpu_count": (-1, 8, 0),
    "replica_count": (10, 2, 1),
    "usage_prompt": (" POST {\"model\": \"X\"}\n\u4f60\u597d ", "e\u0301 & <wait>", ""),
    "openapi_url": ("/OpenAPI.json?full=1#x", "https://example.com/a b.yaml", ""),
    "external_url": (
        "https://Telling.Example.com:8443/a/B?c=D&e=%2f#G",
        "https://b.example.com?x=1&y=",
        "https://c.example.com/",
    ),
    "external_auth_credential_id": (
        "7d444840-9dc0-41d1-b245-5ffdce74fad2",
        "0192f0c1-2b3c-7d4e-8f50-616263646566",
    ),
}  # fmt: skip

_EXTERNAL_ONLY = ("external_url", "external_auth_credential_id")


def list_properties(service_type: str) -> tuple[str, ...]:
    """Return the properties that a service of this type uses."""
    unused = ("docker_image",) if service_type == "external" else _EXTERNAL_ONLY
    return tuple(name for name in TELLING_VALUES if name not in unused)


def choose_values(service_type: str, number: int) -> dict[str, Any]:
    """Return one telling value of every property of the type; ``number`` chooses which."""
    return {
        name: TELLING_VALUES[name][number % len(TELLING_VALUES[name])]
        for name in list_properties(service_type)
    }
