"""`--watch`: an edit of the contract is served without a restart, a bad one is not."""

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
    """A copy of the contract, with its catalogue beside it."""
    for name in ("openapi.yaml", "rules.yaml"):
        shutil.copy(ROOT / "spec" / name, tmp_path)
    return tmp_path / "openapi.yaml"


def edit(path: Path, old: str, new: str) -> None:
    """Replaces a piece of a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


class Watcher:
    """A mock that follows its contract, and what it said."""

    def __init__(self, spec: Path) -> None:
        self.said: list[str] = []
        self.watched = ReloadingApp(create_app(spec=spec), spec, self.said.append)
        self.client = Client(self.watched)

    def settle(self) -> None:
        """Looks twice, since what changed between two looks may be half written."""
        self.watched.check()
        self.watched.check()

    def create(self, slug: str, name: str) -> int:
        """The status of a create."""
        sent = {**BODY, "service_slug": slug, "display_name": name}
        return self.client.post("/api/v1/containers", json=sent, headers=HEADERS).status_code


def test_an_edit_is_enforced_and_nothing_else_changes(spec: Path) -> None:
    """After a bound is moved the mock refuses by it; services, requests and script are still there."""
    mock = Watcher(spec)
    assert mock.create("one", "long enough") == 201
    mock.client.post("/_mock/script", json={"status": 503, "operation": "updateContainer"})
    edit(spec, *NARROW)
    mock.settle()
    told = [mock.client.get(f"/_mock/{name}").json["count"] for name in ("services", "journal", "script")]
    assert (mock.create("two", "long enough"), mock.create("one", "abc"), told) == (400, 409, [1, 1, 1])
    assert mock.said == [f"{spec}: reloaded"]


def test_rules_that_are_off_stay_off(spec: Path) -> None:
    """What `without` switched off is off in the contract that is read later."""
    said: list[str] = []
    watched = ReloadingApp(create_app(spec=spec, disabled_rules={"display-name-length"}), spec, said.append)
    edit(spec, *NARROW)
    watched.check(), watched.check()
    sent = {**BODY, "display_name": "long enough"}
    assert Client(watched).post("/api/v1/containers", json=sent, headers=HEADERS).status_code == 201


BAD: dict[str, Callable[[Path], object]] = {
    "not-yaml": lambda spec: spec.write_text("openapi: ["),
    "not-a-mapping": lambda spec: spec.write_text("[]"),
    "no-openapi": lambda spec: spec.write_text("a: 1"),
    "not-utf-8": lambda spec: spec.write_bytes(b"\xff"),
    "gone": lambda spec: spec.unlink(),
    "keyword-without-its-rule": lambda spec: edit(spec, "maxLength: display-name-length", "x: y"),
    "broken-pattern": lambda spec: edit(spec, 'pattern: "^[a', 'pattern: "^([a'),
    "catalogue-without-rules": lambda spec: (spec.parent / "rules.yaml").write_text("rules: 1"),
}


@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD)
def test_a_bad_edit_keeps_the_last_good_contract(spec: Path, spoil: Callable[[Path], object]) -> None:
    """It is told once, in one line that names the file; when it is mended the contract is reloaded."""
    good = {path: path.read_text() for path in (spec, spec.parent / "rules.yaml")}
    mock = Watcher(spec)
    spoil(spec)
    mock.settle()
    mock.settle()
    assert (mock.create("one", "long enough"), len(mock.said)) == (201, 1)
    assert str(spec.parent) in mock.said[0]
    assert mock.said[0].endswith("; the last valid contract stays")
    assert "\n" not in mock.said[0]
    for path, text in good.items():
        path.write_text(text.replace(*NARROW))
    mock.settle()
    assert (mock.create("two", "long enough"), mock.said[1:]) == (400, [f"{spec}: reloaded"])


def test_a_file_that_is_being_written_is_left_alone(spec: Path) -> None:
    """What changed since the last look is read at the next, when it is at rest."""
    mock = Watcher(spec)
    whole = spec.read_text()
    for part in (whole[:1000], whole[:5000], whole.replace(*NARROW)):
        spec.write_text(part)
        mock.watched.check()
        assert mock.said == []
    mock.watched.check()
    assert mock.said == [f"{spec}: reloaded"]


def test_the_command_follows_its_contract(spec: Path) -> None:
    """`mock-server --watch --spec FILE` says that an edit is served, and serves it."""
    with mock_server("--watch", "--spec", str(spec)) as running:
        assert running.process.stderr is not None
        told = threading.Timer(20, running.process.kill)
        told.start()
        edit(spec, *NARROW)
        line = next(line for line in running.process.stderr if "reloaded" in line)
        told.cancel()
        statuses = [
            post(f"{running.url}/containers", body, {**HEADERS, "Content-Type": "application/json"})
            for body in (b'{"service_slug": "one", "display_name": "abc", "docker_image": "n"}',)
        ]
    assert (line, statuses) == (f"{spec}: reloaded\n", [201])
