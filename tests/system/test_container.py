"""The image and the composition: what can be shown of them where no container engine is."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from mock_server.cli.main import main
from tests.support.databases import address
from tests.support.fixture_player import ROOT
from tests.support.processes import MOCK, fetched, mock_server, post

DOCKERFILE = (ROOT / "Dockerfile").read_text()
MOCK_SERVICE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["mock"]
#: A namespace in which the root file system cannot be written, and a user who may do nothing special.
CONFINED = (
    "mount -o remount,ro,bind / / && ! touch /written 2>/dev/null && exec setpriv --reuid 1000 --regid 1000"
    ' --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@"'
)


def health_check(port: str) -> list[str]:
    """The health check of the image, on another port and with the Python of the tests."""
    found = re.search(r"HEALTHCHECK.*?CMD (\[.*?\])$", DOCKERFILE, re.DOTALL | re.MULTILINE)
    assert found
    command: list[str] = json.loads(found[1].replace("\\\n", ""))
    assert command[0] == "python"
    return [sys.executable, *(part.replace(":4010/", f":{port}/") for part in command[1:])]


def test_what_the_image_copies_is_in_its_context() -> None:
    """Each COPY of the build names files that exist and that .dockerignore lets in."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    copied = {name for line in copies for name in line.split()}
    assert copied
    assert copied <= let_in
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_health_check_tells_a_mock_that_serves_from_one_that_does_not() -> None:
    """It ends with 0 while the mock answers, with 1 afterwards."""
    with mock_server() as running:
        command = health_check(re.search(r":(\d+)/", running.url)[1])  # type: ignore[index]
        serving = subprocess.run(command, check=False, timeout=20)
    gone = subprocess.run(command, check=False, timeout=20, capture_output=True)
    assert (serving.returncode, gone.returncode) == (0, 1)


def test_the_health_check_sees_a_lost_database(tmp_path: Path) -> None:
    """A mock whose database is gone answers, and is not healthy."""
    store = tmp_path / "services.db"
    with mock_server("--store", f"sqlite:///{store}") as running:
        command = health_check(re.search(r":(\d+)/", running.url)[1])  # type: ignore[index]
        for file in tmp_path.iterdir():
            file.write_bytes(b"no database at all" * 400)
        assert subprocess.run(command, check=False, timeout=20, capture_output=True).returncode == 1


def test_the_command_of_the_composition_serves_from_postgresql(tmp_path: Path) -> None:
    """The mock of compose.yaml takes its store from the environment, so that no password is an argument."""
    given = MOCK_SERVICE["environment"]["MOCK_STORE"]
    assert given.startswith("postgresql://")
    arguments = MOCK_SERVICE["command"][1:]
    assert [part for part in arguments if "://" in part] == []
    with address("postgresql", tmp_path) as where:
        environment = {**os.environ, "MOCK_STORE": where}
        with mock_server(*arguments, "--host", "127.0.0.1", env=environment) as running:
            health = fetched(running.url.replace("api/v1", "_mock/health"))
    assert json.loads(health)["status"] == "ok"


def test_a_store_in_the_environment_that_is_none_is_told() -> None:
    """What is wrong with MOCK_STORE is one line and exit code 2."""
    done = CliRunner().invoke(main, ["--port", "0"], env={"MOCK_STORE": "nowhere:"})
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert "--store" in done.output


@pytest.mark.skipif(
    os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")),
    reason="needs root, unshare and setpriv to make a read-only root file system",
)
def test_the_mock_serves_without_privileges_on_a_read_only_root() -> None:
    """An ordinary user without any capability starts it where nothing can be written, and it stores."""
    confined = ["unshare", "--mount", "sh", "-c", CONFINED, "sh"]
    if subprocess.run([*confined, "true"], check=False, capture_output=True).returncode:
        pytest.skip("mounts cannot be made here")
    process = subprocess.Popen(
        [*confined, *MOCK, "--port", "0"], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        url = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
        created = post(
            f"{url}/containers",
            b'{"service_slug": "one", "display_name": "d", "docker_image": "n"}',
            {"Authorization": "Bearer sk-red-5f0c7c1e9a", "Content-Type": "application/json"},
        )
        status = Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()  # type: ignore[union-attr]
    assert created == 201
    assert re.search(r"^Uid:\t1000\t", status, re.MULTILINE)
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
