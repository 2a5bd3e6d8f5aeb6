"""Recorded exchanges."""

import json
import shlex

from contract_tests.targets.base import Request, Response
from contract_tests.targets.exchange import Redactor


def test_tokens_are_redacted_before_storing() -> None:
    """Tokens in headers, bodies, paths and responses become $TOKEN, quoted correctly in the command."""
    redactor = Redactor(["sk-secret", "sk-secret-longer"])
    request = Request(
        "POST", "/x?t=sk-secret", (("Authorization", "Bearer sk-secret-longer"),), b'{"a": "sk-secret\'"}'
    )
    answer = Response(400, (("X-Echo", "sk-secret"), ("Set-Cookie", "s=1")), b"no sk-secret-longer", 0.1)
    exchange = redactor.record_exchange("me", "http://h", request, redactor.redact_response(answer))
    shown = json.dumps(exchange.to_json()) + exchange.to_curl()
    assert "sk-secret" not in shown
    assert "s=1" not in shown
    words = shlex.split(exchange.to_curl())
    assert "Authorization: Bearer $TOKEN" in words
    assert words[-1] == '{"a": "$TOKEN\'"}'
