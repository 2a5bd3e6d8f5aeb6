"""Secrets of foreign recordings appear in nothing that the kit writes."""

import json
from pathlib import Path

import pytest

from tests.support.gate.odd_servers import run_command

SECRET = "s3cr3t-value-0123456789"
HEADERS = {
    "scheme": ("Authorization", f"Bearer {SECRET}"),
    "no scheme": ("Authorization", SECRET),
    "key": ("X-Api-Key", SECRET),
    "cookie": ("Cookie", f"theme=dark; session={SECRET}"),
}


def write_recording(folder: Path, *, header: tuple[str, str], query: str = "", answer: str = "{}") -> Path:
    """Write a recording of a wrong create that was accepted, so that it becomes a finding."""
    entry = {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "time": 1,
        "request": {
            "method": "POST",
            "url": f"http://h/api/v1/containers{query}",
            "headers": [{"name": header[0], "value": header[1]}, {"name": "X-Echo", "value": SECRET}],
            "postData": {"mimeType": "application/json", "text": json.dumps({"display_name": SECRET})},
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


@pytest.mark.parametrize("name", HEADERS)
def test_a_secret_in_a_header_is_written_nowhere(name: str, tmp_path: Path) -> None:
    """Whatever header holds a secret, neither the terminal nor a report repeats it."""
    assert_hidden(write_recording(tmp_path, header=HEADERS[name]), tmp_path / "report")


def test_a_secret_in_a_url_or_a_body_is_written_nowhere(tmp_path: Path) -> None:
    """A token in a query, and one that a response hands out, are hidden, too."""
    other = ("Accept", "*/*")
    assert_hidden(write_recording(tmp_path, header=other, query=f"?access_token={SECRET}"), tmp_path / "one")
    answer = json.dumps({"access_token": SECRET})
    assert_hidden(write_recording(tmp_path, header=other, answer=answer), tmp_path / "two")


def assert_hidden(recording: Path, folder: Path) -> None:
    """Check a recording and search everything that the command writes."""
    done = run_command("check", recording, "--report", folder)
    assert done.code == 1, done.out + done.err
    written = [file for file in folder.rglob("*") if file.is_file()]
    assert len(written) > 4
    assert SECRET not in done.out + done.err
    assert [file for file in written if SECRET.encode() in file.read_bytes()] == []
