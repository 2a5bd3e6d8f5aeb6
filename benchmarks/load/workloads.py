"""The workloads: kinds of request, prepared as bytes."""

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: The token of a caller with a key, from the fixtures.
TOKEN = "sk-red-5f0c7c1e9a"
#: An id for servers that accept an update of any service.
ANY_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
#: A placeholder of the same length as the slugs that replace it.
_SLUG_SLOT = "bench-000000000000"
#: Starts elsewhere in each process, so that slugs of an earlier run are not used again.
_SLUG_NUMBERS = itertools.count(int(time.time()) % 100_000 * 10_000_000)

CREATE: dict[str, Any] = {
    "service_slug": _SLUG_SLOT,
    "display_name": "Llama on vLLM",
    "service_desc": "Chat completions",
    "service_type": "deployed",
    "docker_image": "vllm/vllm-openai:latest",
    "exposed_port": 8080,
    "health_path": "/health",
    "env_config": [{"env_name": "MODEL", "env_value": "llama"}],
    "volume_config": [{"host_path": "/srv/models", "container_path": "/models"}],
    "required_labels": ["gpu"],
    "gpu_count": 0,
    "replica_count": 1,
}
ONE_VIOLATION = {**CREATE, "exposed_port": "8080"}
FIVE_VIOLATIONS = {
    **CREATE,
    "service_slug": "My_Service",
    "display_name": "x" * 256,
    "exposed_port": "8080",
    "gpu_count": -2,
    "replica_count": 11,
}
UPDATE = {name: value for name, value in CREATE.items() if name not in {"service_slug", "service_type"}}


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of request, and the class of the status that it should get (2 for 2xx)."""

    name: str
    method: str
    body: dict[str, Any]
    expected_class: int

    def iterate_requests(self, base_path: str, service_id: str = ANY_ID) -> Iterator[bytes]:
        """Return endless requests of the workload, each create with a new slug."""
        path = f"{base_path}/containers" + (f"/{service_id}" if self.method == "PUT" else "")
        whole = encode_request(self.method, path, json.dumps(self.body).encode())
        head, slot, tail = whole.partition(_SLUG_SLOT.encode())
        if not slot:
            return itertools.repeat(whole)
        return (b"%sbench-%012d%s" % (head, number, tail) for number in _SLUG_NUMBERS)


VALID_CREATE = Workload("valid create", "POST", CREATE, 2)
WORKLOADS = (
    VALID_CREATE,
    Workload("one violation", "POST", ONE_VIOLATION, 4),
    Workload("five violations", "POST", FIVE_VIOLATIONS, 4),
    Workload("update", "PUT", UPDATE, 2),
)
#: The workloads that are written to the store.
STORING_WORKLOADS = tuple(workload for workload in WORKLOADS if workload.expected_class == 2)


def build_sized_create(size: int) -> Workload:
    """Return a valid create of about `size` bytes: more variables of environment make it larger."""
    item = {"env_name": "NAME_OF_SOME_LENGTH", "env_value": "v" * 128}
    spare = size - len(json.dumps(CREATE))
    items = max(1, spare // (len(json.dumps(item)) + 2))
    return Workload(f"{size} bytes", "POST", {**CREATE, "env_config": [item] * items}, 2)


def encode_request(method: str, path: str, body: bytes) -> bytes:
    """Return the bytes of an authenticated JSON request over HTTP/1.1."""
    head = (
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {TOKEN}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "",
        "",
    )
    return "\r\n".join(head).encode() + body
