"""The rules that one request breaks, read from the request alone."""

import json
from typing import Any

import pytest

from contract_tests.results.recorded.recording import RecordedCall
from contract_tests.results.recorded.request_rules import read_rules
from contract_tests.targets.base import Request, Response

ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445"
DEPLOYED = {"service_slug": "a-slug", "display_name": "a", "docker_image": "n"}
HEADERS = {"Authorization": "Bearer $TOKEN", "Content-Type": "application/json"}


def build_call(
    headers: dict[str, str | None] | None = None,
    body: Any = DEPLOYED,
    service: str | None = None,
    kind: str = "sk",
    *,
    own: bool = True,
) -> RecordedCall:
    """Build a recorded create, or an update of ``service``; a header that is None is left out."""
    sent = {**HEADERS, **(headers or {})}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(
        "POST", "", tuple((name, value) for name, value in sent.items() if value is not None), raw
    )
    operation: Any = "createContainer" if service is None else "updateContainer"
    return RecordedCall(
        1, operation, service, request, Response(201, (), b"", 0.0), "sk-red", kind, own, "", True, True
    )


@pytest.mark.parametrize(
    ("call", "broken", "expect"),
    [
        pytest.param(build_call(), (), "accept", id="valid"),
        pytest.param(build_call({"Authorization": None}), ("auth-required",), "refuse", id="no token"),
        pytest.param(build_call({"Authorization": None}, own=False), (), "accept", id="no token recorded"),
        pytest.param(build_call({"Authorization": "***"}, own=False), (), "accept", id="masked token"),
        pytest.param(build_call({"Authorization": "Basic $TOKEN"}), ("auth-bearer",), "refuse", id="basic"),
        pytest.param(build_call({"Authorization": "Bearer "}), ("auth-bearer",), "refuse", id="empty token"),
        pytest.param(build_call({"Authorization": "bearer $TOKEN"}), (), "open", id="lower-case scheme"),
        pytest.param(
            build_call({"Authorization": "Bearer $TOKENx"}), ("auth-known",), "refuse", id="longer token"
        ),
        pytest.param(build_call(kind="ak"), ("auth-agent",), "refuse", id="agent key"),
        pytest.param(build_call(kind="jwt"), ("team-required-for-jwt",), "refuse", id="jwt without a team"),
        pytest.param(
            build_call({"X-Team-ID": "red"}, kind="jwt"), ("team-uuid",), "refuse", id="team no uuid"
        ),
        pytest.param(build_call({"X-Team-ID": "red"}, kind="dk"), (), "accept", id="team of a credential"),
        pytest.param(build_call(body={}, service=ID), (), "accept", id="update"),
        pytest.param(
            build_call(body=b'{"gpu_count": %s}' % (b"9" * 5000), service=ID), (), "open", id="many digits"
        ),
        pytest.param(build_call(body=b'{"gpu_count": 1e400}', service=ID), (), "open", id="huge exponent"),
        pytest.param(
            build_call(body=b'{"exposed_port": 1e400}', service=ID),
            ("exposed-port-range",),
            "refuse",
            id="huge port",
        ),
        pytest.param(
            build_call(body={}, service=ID[:-1]), ("service-id-format",), "refuse", id="malformed id"
        ),
        pytest.param(build_call(body={}, service=ID.replace("-", "")), (), "open", id="id without hyphens"),
        pytest.param(
            build_call({"Content-Type": "text/plain"}), ("body-media-type",), "refuse", id="text/plain"
        ),
        pytest.param(build_call({"Content-Type": None}), (), "open", id="no media type"),
        pytest.param(
            build_call({"Content-Type": "application/json; charset=utf-8"}), (), "open", id="with a charset"
        ),
        pytest.param(build_call(body=b"{"), ("body-json",), "refuse", id="no JSON"),
        pytest.param(build_call(body=b'{"display_name": NaN}'), ("body-json",), "refuse", id="NaN"),
        pytest.param(build_call(body=b"", service=ID), (), "open", id="empty update"),
        pytest.param(build_call(body=b'{"display_name": "caf\xe9"}', service=ID), (), "open", id="latin-1"),
        pytest.param(
            build_call(body=b'{"a": 1, "a": 2}', service=ID), ("body-keys",), "refuse", id="a key twice"
        ),
        pytest.param(
            build_call(body={"display_name": "a\0"}, service=ID), ("body-text",), "refuse", id="NUL"
        ),
        pytest.param(build_call(body={"other": "a\0"}, service=ID), (), "open", id="NUL elsewhere"),
        pytest.param(
            build_call(body=b"[" * 1000 + b"]" * 1000, service=ID), ("body-depth",), "refuse", id="deep"
        ),
        pytest.param(build_call(body=b"[" * 300 + b"]" * 300, service=ID), (), "open", id="rather deep"),
        pytest.param(build_call(body=[], service=ID), ("body-object",), "refuse", id="an array"),
        pytest.param(
            build_call({"Authorization": None}, {**DEPLOYED, "exposed_port": 0}),
            ("auth-required", "exposed-port-range"),
            "refuse",
            id="two rules",
        ),
    ],
)
def test_request_breaks_its_rules(call: RecordedCall, broken: tuple[str, ...], expect: str) -> None:
    """A request breaks exactly these rules, in the order in which a server checks them."""
    reading = read_rules(call, "deployed")
    assert (reading.broken, reading.expect) == (broken, expect)


@pytest.mark.parametrize(
    ("body", "concerned"),
    [
        ({"display_name": "a"}, "display-name-type"),
        ({"exposed_port": None}, "exposed-port-range"),
        ({"other": 1}, "unknown-properties-ignored"),
        ({}, "updated"),
    ],
)
def test_valid_request_concerns_the_rule_of_its_body(body: Any, concerned: str) -> None:
    """A request that breaks nothing concerns first the rule that a generated case with its body tries."""
    assert read_rules(build_call(body=body, service=ID), "deployed").concerned[0] == concerned
