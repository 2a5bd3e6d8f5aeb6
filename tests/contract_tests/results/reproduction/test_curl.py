"""Curl commands of single requests."""

import shlex
import subprocess
from dataclasses import replace

from contract_tests.results.reproduction.curl import build_curl
from contract_tests.targets.base import Request, Response
from contract_tests.targets.exchange import Exchange, Redactor


def record(method: str, path: str, body: bytes, headers: tuple[tuple[str, str], ...] = ()) -> Exchange:
    """Record a request."""
    request = Request(method, path, headers, body)
    return Redactor(["sk-secret"]).record_exchange("me", "http://h", request, Response(200, (), b"", 0.1))


def expand(command: str, **variables: str) -> list[str]:
    """Return the arguments that a shell passes on."""
    script = command.replace("curl ", "printf '%s\\0' ", 1)
    done = subprocess.run(["sh", "-c", script], env=variables, capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


def test_command_sends_the_same_request() -> None:
    """The command repeats the media type, the path and the body exactly, where curl would change them."""
    exchange = record("PUT", "/containers/..", b"@file [x]")
    words = shlex.split(build_curl(exchange))
    assert words[4:] == [
        "--path-as-is",
        "http://h/containers/..",
        "-H",
        "Content-Type:",
        "--data-raw",
        "@file [x]",
    ]
    assert shlex.split(build_curl(exchange, "a b.body"))[-2:] == ["--data-binary", "@a b.body"]


def test_shell_puts_variables_in_place_of_recorded_texts() -> None:
    """An id in the path and a slug in the body become variables; quotes, dollars and blanks around them stay."""
    body = b'{"service_slug": "ck-1-x", "display_name": "it\'s $5 \\" sk-secret"}'
    exchange = record("PUT", "/containers/0192", body, (("Authorization", "Bearer sk-secret"),))
    exchange = replace(exchange, token_env="TOKEN_ME")
    command = build_curl(exchange, variables={"0192": "$ID", "ck-1": "$SLUG"})
    words = expand(command, ID="7", SLUG="new", TOKEN_ME="s3")
    assert words[3] == "http://h/containers/7"
    assert "Authorization: Bearer s3" in words
    assert words[-1] == '{"service_slug": "new-x", "display_name": "it\'s $5 \\" s3"}'
