"""The container image and compose.yaml, tested without a container engine."""

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
from tests.support.databases import store_address
from tests.support.fixture_player import ROOT
from tests.support.processes import MOCK, fetch_text, mock_server, post

DOCKERFILE = (ROOT / "Dockerfile").read_text()
MOCK_SERVICE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["mock"]
#: Runs a command with a read-only root file system, as a user without capabilities.
SANDBOX_SCRIPT = (
    "mount -o remount,ro,bind / / && ! touch /written 2>/dev/null && exec setpriv --reuid 1000 --regid 1000"
    ' --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@"'
)


def health_check(port: str) -> list[str]:
    """Return the health check of the image, for another port and the Python of the tests."""
    match = re.search(r"HEALTHCHECK.*?CMD (\[.*?\])$", DOCKERFILE, re.DOTALL | re.MULTILINE)
    assert match
    command: list[str] = json.loads(match[1].replace("\\\n", ""))
    assert command[0] == "python"
    return [sys.executable, *(part.replace(":4010/", f":{port}/") for part in command[1:])]


def test_the_image_copies_files_of_its_context() -> None:
    """Each COPY names files that exist and that .dockerignore allows."""
    allowed_names = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")
    }
    copies = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    names = {name for line in copies for name in line.split()}
    assert names
    assert names <= allowed_names
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_the_health_check_detects_whether_the_mock_serves() -> None:
    """The exit code is 0 while the mock serves, and 1 afterwards."""
    with mock_server() as running:
        command = health_check(re.search(r":(\d+)/", running.url)[1])  # type: ignore[index]
        serving = subprocess.run(command, check=False, timeout=20)
    stopped = subprocess.run(command, check=False, timeout=20, capture_output=True)
    assert (serving.returncode, stopped.returncode) == (0, 1)


@pytest.mark.slow
def test_the_health_check_detects_a_lost_database(tmp_path: Path) -> None:
    """A mock without its database responds, and is not healthy."""
    store = tmp_path / "services.db"
    with mock_server("--store", f"sqlite:///{store}") as running:
        command = health_check(re.search(r":(\d+)/", running.url)[1])  # type: ignore[index]
        for file in tmp_path.iterdir():
            file.write_bytes(b"no database at all" * 400)
        assert subprocess.run(command, check=False, timeout=20, capture_output=True).returncode == 1


@pytest.mark.slow
def test_the_compose_service_uses_postgresql(tmp_path: Path) -> None:
    """The mock of compose.yaml has its store in the environment, so that no password is an argument."""
    address = MOCK_SERVICE["environment"]["MOCK_STORE"]
    assert address.startswith("postgresql://")
    arguments = MOCK_SERVICE["command"][1:]
    assert [part for part in arguments if "://" in part] == []
    with store_address("postgresql", tmp_path) as url:
        environment = {**os.environ, "MOCK_STORE": url}
        with mock_server(*arguments, "--host", "127.0.0.1", env=environment) as running:
            health = fetch_text(running.url.replace("api/v1", "_mock/health"))
    assert json.loads(health)["status"] == "ok"


def test_an_invalid_store_in_the_environment_is_reported() -> None:
    """The report is one line, and the exit code is 2."""
    result = CliRunner().invoke(main, ["--port", "0"], env={"MOCK_STORE": "nowhere:"})
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert "--store" in result.output


@pytest.mark.skipif(
    os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")),
    reason="needs root, unshare and setpriv to make a read-only root file system",
)
def test_the_mock_serves_without_privileges_on_a_read_only_root() -> None:
    """A user without capabilities can run the mock on a read-only file system, and store a service."""
    sandbox = ["unshare", "--mount", "sh", "-c", SANDBOX_SCRIPT, "sh"]
    if subprocess.run([*sandbox, sys.executable, "-c", ""], check=False, capture_output=True).returncode:
        pytest.skip("mounts cannot be made here, or other users cannot run this Python")
    process = subprocess.Popen(
        [*sandbox, *MOCK, "--port", "0"], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        url = next(match[0] for line in process.stdout if (match := re.search(r"http://\S+", line)))
        create_status = post(
            f"{url}/containers",
            b'{"service_slug": "one", "display_name": "d", "docker_image": "n"}',
            {"Authorization": "Bearer sk-red-5f0c7c1e9a", "Content-Type": "application/json"},
        )
        status = Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()  # type: ignore[union-attr]
    assert create_status == 201
    assert re.search(r"^Uid:\t1000\t", status, re.MULTILINE)
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)


#: Stands for docker: logs its arguments, has a container of the health $HEALTH, and ends `run --rm` with $CODE.
FAKE_DOCKER = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$1 $2" in
  "run --detach") echo the-mock ;;
  "inspect --format") echo "$HEALTH" ;;
  "run --rm") exit "$CODE" ;;
esac
"""


@pytest.mark.parametrize(
    ("health", "code", "expected"),
    [("healthy", 0, 0), ("healthy", 1, 1), ("unhealthy", 0, 1)],
    ids=["conforms", "violated", "unhealthy"],
)
def test_an_image_is_tried_without_privileges(health: str, code: int, expected: int, tmp_path: Path) -> None:
    """The script fails if the mock is not healthy or does not conform; it removes the container in any case."""
    for name, script in {"docker": FAKE_DOCKER, "sleep": "#!/bin/sh\n"}.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    calls = tmp_path / "calls"
    environment = {"CALLS": str(calls), "HEALTH": health, "CODE": str(code)}
    done = subprocess.run(
        [ROOT / ".ci/try-image", "kit"],
        env={**os.environ, **environment, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == expected
    lines = calls.read_text().splitlines()
    assert lines[-1] == "rm --force the-mock"
    assert [
        line for line in lines if line.startswith("run ") and "--read-only --cap-drop ALL" not in line
    ] == []
