"""Secrets of foreign recordings appear in nothing that the kit writes."""

import base64
import json
from pathlib import Path

import pytest

from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.results.recorded.recorded_judge import judge_recording
from contract_tests.results.recorded.recording import Recording
from contract_tests.results.recorded.secrets import find_secrets
from tests.support.gate.odd_servers import run_command

SECRET = "s3cr3t-value-0123456789"
HEADERS = {
    "scheme": ("Authorization", f"Bearer {SECRET}"),
    "no scheme": ("Authorization", SECRET),
    "key": ("X-Api-Key", SECRET),
    "cookie": ("Cookie", f"theme=dark; session={SECRET}"),
    "set-cookie": ("Set-Cookie", f"id={SECRET}; Path=/api/v1/containers; HttpOnly"),
    "digest": ("Authorization", f'Digest username="a", response="{SECRET}", opaque="b"'),
    "unknown scheme": ("Proxy-Authorization", f"Odd {SECRET} more"),
    "session": ("X-Session-Id", SECRET),
    "secret": ("x_client_SECRET", f"v1 {SECRET}"),
    "csrf": ("X-CSRF-Token", SECRET),
    "password": ("X-Password", SECRET),
    "location": ("Location", f"https://h/back?state=1&code={SECRET}"),
}
URLS = {
    **{
        name: f"http://h/api/v1/containers?a=1&{name}={SECRET}"
        for name in (
            "sig",
            "Signature",
            "jwt",
            "client_secret",
            "access-token",
            "X-Amz-Signature",
            "code",
            "api_key",
        )
    },
    "userinfo": f"http://user:{SECRET}@h/api/v1/containers",
    "fragment": f"http://h/api/v1/containers#state=1&id_token={SECRET}",
    "route": f"http://h/api/v1/containers#/route?token={SECRET}",
}
PROPERTIES = (
    "password", "Pass-Word", "secret", "CLIENT_SECRET", "clientSecret", "token", "api-key", "apiKey", "DB_PASSWORD",
)  # fmt: skip


def write_recording(
    folder: Path,
    *,
    header: tuple[str, str] = ("Accept", "*/*"),
    url: str = "http://h/api/v1/containers",
    answer: str = "{}",
    echo: str = SECRET,
) -> Path:
    """Write a recording of a wrong create that was accepted, so that it becomes a finding."""
    entry = {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "time": 1,
        "request": {
            "method": "POST",
            "url": url,
            "headers": [{"name": header[0], "value": header[1]}, {"name": "X-Echo", "value": echo}],
            "postData": {"mimeType": "application/json", "text": json.dumps({"display_name": echo})},
        },
        "response": {
            "status": 201,
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"text": answer, "mimeType": "application/json"},
        },
    }
    file = folder / "traffic.har"
    file.write_text(json.dumps({"log": {"entries": [entry]}}), "utf-8")
    return file


@pytest.mark.slow
@pytest.mark.parametrize("name", HEADERS)
def test_a_secret_in_a_header_is_written_nowhere(name: str, tmp_path: Path) -> None:
    """Whatever header holds a secret, neither the terminal nor a report repeats it."""
    for number, echo in enumerate(["a"] if name in ("digest", "unknown scheme") else ["a", SECRET]):
        assert_hidden(
            write_recording(tmp_path, header=HEADERS[name], echo=echo), tmp_path / f"report-{number}"
        )


@pytest.mark.parametrize("name", URLS)
@pytest.mark.slow
def test_a_secret_in_a_url_is_written_nowhere(name: str, tmp_path: Path) -> None:
    """Passwords and signatures in a URL are hidden, too."""
    assert_hidden(write_recording(tmp_path, url=URLS[name]), tmp_path / "report")


@pytest.mark.parametrize("name", PROPERTIES)
@pytest.mark.slow
def test_a_secret_in_a_body_is_written_nowhere(name: str, tmp_path: Path) -> None:
    """So is a secret that a response hands out."""
    answer = json.dumps({"id": "a", "given": [{name: SECRET}]})
    assert_hidden(write_recording(tmp_path, answer=answer), tmp_path / "report")


@pytest.mark.parametrize(
    "body",
    [
        {"postData": {"text": json.dumps({"password": 31415926, "gpu_count": 31415926})}},
        {"postData": {"text": f"name=a&client_secret={SECRET}"}},
        {"postData": {"text": f'{{"service_desc": "{SECRET}", "password": "{SECRET}", "cut'}},
        {
            "postData": {
                "text": base64.b64encode(f'{{"token": "{SECRET}"}}'.encode()).decode(),
                "encoding": "base64",
            }
        },
    ],
    ids=["number", "form", "cut", "base64"],
)
def test_every_kind_of_body_is_searched(body: dict[str, object]) -> None:
    """Numbers, forms, cut texts and encoded bodies hold secrets as well."""
    secrets = set(find_secrets([{"request": {"url": "http://h/", **body}}]))
    assert secrets in ({SECRET}, {"31415926"})


def test_a_number_that_is_a_secret_is_hidden_in_the_request_to_send_again() -> None:
    """A body stays readable, whatever value is secret."""
    text = json.dumps({"display_name": 31415926, "password": 31415926, "service_slug": "true"})
    headers = [{"name": "X-Auth-Needed", "value": "true"}]
    request = {"method": "POST", "url": "http://h/containers", "headers": headers, "postData": {"text": text}}
    entry = {"request": request, "response": {"status": 201, "content": {"text": "{}"}}}
    (observation,) = judge_recording(Recording([entry]), load_spec(), load_catalogue())
    (step,) = observation.case.steps
    assert isinstance(step.body, dict)
    assert (step.body["display_name"], step.body["password"]) == ("$TOKEN", "$TOKEN")


@pytest.mark.parametrize("name", ["X-Team-ID", "Idempotency-Key", "Accept", ":authority"])
def test_what_is_no_secret_is_shown(name: str) -> None:
    """A team, a key of one request and a host stay readable."""
    headers = [{"name": name, "value": "0192f0c1-9a8b-7c6d-9e5f-404142434445"}]
    assert list(find_secrets([{"request": {"url": "http://h/?team=abcdef", "headers": headers}}])) == []


def assert_hidden(recording: Path, folder: Path) -> None:
    """Check a recording and search everything that the command writes."""
    done = run_command("check", recording, "--report", folder)
    assert done.code == 1, done.out + done.err
    written = [file for file in folder.rglob("*") if file.is_file()]
    assert len(written) > 4
    assert SECRET not in done.out + done.err
    assert [file for file in written if SECRET.encode() in file.read_bytes()] == []
