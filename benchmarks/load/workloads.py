"""The requests that are sent, as bytes."""

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

CALLER = "sk-red-5f0c7c1e9a"
#: A value whose place in the bytes is taken by a number that is new for each request.
_SLOT = "bench-000000000000"
#: New for each process, so that no slug of an earlier one is in the way.
_COUNT = itertools.count(int(time.time()) % 100_000 * 10_000_000)
#: An id where no service is needed behind it.
ANY_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"

CREATE: dict[str, Any] = {
    "service_slug": _SLOT,
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
ONE_WRONG = {**CREATE, "exposed_port": "8080"}
FIVE_WRONG = {
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
    """A kind of request, and the class of the status that is right for it."""

    name: str
    method: str
    body: dict[str, Any]
    right: int

    def requests(self, base: str, service_id: str = ANY_ID) -> Iterator[bytes]:
        """The requests of the workload without end, each create with a slug of its own."""
        whole = request(self.method, path(base, self.method, service_id), json.dumps(self.body).encode())
        head, slot, tail = whole.partition(_SLOT.encode())
        if not slot:
            return itertools.repeat(whole)
        return (b"%sbench-%012d%s" % (head, number, tail) for number in _COUNT)


WORKLOADS = (
    Workload("valid create", "POST", CREATE, 2),
    Workload("one violation", "POST", ONE_WRONG, 4),
    Workload("five violations", "POST", FIVE_WRONG, 4),
    Workload("update", "PUT", UPDATE, 2),
)


def sized(size: int) -> Workload:
    """A valid create of about so many bytes: the environment of the container makes the difference."""
    item = {"env_name": "NAME_OF_SOME_LENGTH", "env_value": "v" * 128}
    spare = size - len(json.dumps(CREATE))
    items = max(1, spare // (len(json.dumps(item)) + 2))
    return Workload(f"{size} bytes", "POST", {**CREATE, "env_config": [item] * items}, 2)


def path(base: str, method: str, service_id: str = "") -> str:
    """The path of a create, or of an update."""
    return f"{base}/containers" + (f"/{service_id}" if method == "PUT" else "")


def request(method: str, where: str, body: bytes) -> bytes:
    """A request as it goes over the wire."""
    head = (
        f"{method} {where} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {CALLER}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "",
        "",
    )
    return "\r\n".join(head).encode() + body
