"""`--watch`: valid edits of the contract are reloaded, and invalid edits are ignored."""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import Client

from mock_server import create_app
from mock_server.server.reload import ReloadingApp
from tests.support.fixture_player import CALLERS, ROOT
from tests.support.processes import mock_server, post

BODY = {"service_slug": "watched", "display_name": "d", "docker_image": "n"}
HEADERS = {"Authorization": f"Bearer {CALLERS['callers'][0]['token']}", "X-Team-ID": CALLERS["teams"]["red"]}
NARROW = ("maxLength: 255", "maxLength: 3")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """Return a copy of the contract, with its catalogue beside it."""
    for name in ("openapi.yaml", "rules.yaml"):
        shutil.copy(ROOT / "spec" / name, tmp_path)
    return tmp_path / "openapi.yaml"


def edit(path: Path, old: str, new: str) -> None:
    """Replace a piece of a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


class WatchedMock:
    """A mock that reloads its contract, and its messages."""

    def __init__(self, spec: Path) -> None:
        self.messages: list[str] = []
        self.app = ReloadingApp(create_app(spec=spec), spec, self.messages.append)
        self.client = Client(self.app)

    def settle(self) -> None:
        """Check twice, since a file may be incomplete at the first check."""
        self.app.check()
        self.app.check()

    def create(self, slug: str, name: str) -> int:
        """Send a create and return the status."""
        body = {**BODY, "service_slug": slug, "display_name": name}
        return self.client.post("/api/v1/containers", json=body, headers=HEADERS).status_code


def test_an_edit_is_enforced_and_nothing_else_changes(spec: Path) -> None:
    """After a bound is edited the mock enforces it; services, requests and script stay."""
    mock = WatchedMock(spec)
    assert mock.create("one", "long enough") == 201
    mock.client.post("/_mock/script", json={"status": 503, "operation": "updateContainer"})
    edit(spec, *NARROW)
    mock.settle()
    counts = [mock.client.get(f"/_mock/{name}").json["count"] for name in ("services", "journal", "script")]
    assert (mock.create("two", "long enough"), mock.create("one", "abc"), counts) == (400, 409, [1, 1, 1])
    assert mock.messages == [f"{spec}: reloaded"]


def test_disabled_rules_stay_disabled(spec: Path) -> None:
    """A disabled rule is disabled in the reloaded contract too."""
    messages: list[str] = []
    app = ReloadingApp(create_app(spec=spec, disabled_rules={"display-name-length"}), spec, messages.append)
    edit(spec, *NARROW)
    app.check(), app.check()
    body = {**BODY, "display_name": "long enough"}
    assert Client(app).post("/api/v1/containers", json=body, headers=HEADERS).status_code == 201


BAD: dict[str, Callable[[Path], object]] = {
    "not-yaml": lambda spec: spec.write_text("openapi: ["),
    "not-a-mapping": lambda spec: spec.write_text("[]"),
    "no-openapi": lambda spec: spec.write_text("a: 1"),
    "not-utf-8": lambda spec: spec.write_bytes(b"\xff"),
    "gone": lambda spec: spec.unlink(),
    "a-pipe": lambda spec: (spec.unlink(), os.mkfifo(spec)),
    "keyword-without-its-rule": lambda spec: edit(spec, "maxLength: display-name-length", "x: y"),
    "broken-pattern": lambda spec: edit(spec, 'pattern: "^[a', 'pattern: "^([a'),
    "catalogue-without-rules": lambda spec: (spec.parent / "rules.yaml").write_text("rules: 1"),
}


@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD)
def test_an_invalid_edit_keeps_the_last_valid_contract(spec: Path, spoil: Callable[[Path], object]) -> None:
    """One line names the file, and a corrected file is reloaded."""
    good = {path: path.read_text() for path in (spec, spec.parent / "rules.yaml")}
    mock = WatchedMock(spec)
    spoil(spec)
    mock.settle()
    mock.settle()
    assert (mock.create("one", "long enough"), len(mock.messages)) == (201, 1)
    assert str(spec.parent) in mock.messages[0]
    assert mock.messages[0].endswith("; the last valid contract stays")
    assert "\n" not in mock.messages[0]
    spec.unlink(missing_ok=True)  # a pipe stays one
    for path, text in good.items():
        path.write_text(text.replace(*NARROW))
    mock.settle()
    assert (mock.create("two", "long enough"), mock.messages[1:]) == (400, [f"{spec}: reloaded"])


def test_a_folder_that_cannot_be_read_ends_no_polling(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last valid contract stays, and an edit is reloaded once the folder can be read again."""
    mock, is_file = WatchedMock(spec), Path.is_file

    def deny(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", deny)
    mock.settle()
    monkeypatch.setattr(Path, "is_file", is_file)
    edit(spec, *NARROW)
    mock.settle()
    assert (mock.create("one", "long enough"), mock.messages[-1]) == (400, f"{spec}: reloaded")


def test_an_incomplete_file_is_not_reloaded(spec: Path) -> None:
    """A change is reloaded once the file stays the same between two checks."""
    mock = WatchedMock(spec)
    whole = spec.read_text()
    for part in (whole[:1000], whole[:5000], whole.replace(*NARROW)):
        spec.write_text(part)
        mock.app.check()
        assert mock.messages == []
    mock.app.check()
    assert mock.messages == [f"{spec}: reloaded"]


@pytest.mark.slow
def test_the_command_reloads_its_contract(spec: Path) -> None:
    """`mock-server --watch --spec FILE` reports an edit and enforces it."""
    with mock_server("--watch", "--spec", str(spec)) as running:
        assert running.process.stderr is not None
        deadline = threading.Timer(20, running.process.kill)
        deadline.start()
        edit(spec, *NARROW)
        line = next(line for line in running.process.stderr if "reloaded" in line)
        deadline.cancel()
        statuses = [
            post(f"{running.url}/containers", body, {**HEADERS, "Content-Type": "application/json"})
            for body in (b'{"service_slug": "one", "display_name": "abc", "docker_image": "n"}',)
        ]
    assert (line, statuses) == (f"{spec}: reloaded\n", [201])
