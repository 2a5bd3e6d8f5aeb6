"""docs/containers.md, without a container engine: a stand-in for Testcontainers starts the mock as a process."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mock_server.contract.resources import VERSION
from tests.support.fixture_player import ROOT

PAGE = (ROOT / "docs/containers.md").read_text("utf-8")
#: Takes the same calls as the package, and runs the command of the container on a free port of this machine.
STAND_IN = """
import { spawn } from "node:child_process";

export const Wait = { forHttp: (path, port) => ({ path, port }) };

export class GenericContainer {
  constructor(image) { this.image = image; }
  withCommand(command) { this.command = command; return this; }
  withExposedPorts(...ports) { this.ports = ports; return this; }
  withWaitStrategy(strategy) { this.strategy = strategy; return this; }
  async start() {
    const child = spawn(this.command[0], [...this.command.slice(1), "--port", "0"]);
    const port = await new Promise((resolve) => child.stdout.on("data", (data) => {
      const match = /:(\\d+)\\/api/.exec(data);
      if (match) resolve(Number(match[1]));
    }));
    const ready = await fetch(`http://localhost:${port}${this.strategy.path}`);
    if (!ready.ok || this.strategy.port !== this.ports[0]) throw new Error("not ready");
    return { getHost: () => "localhost", getMappedPort: () => port, stop: () => child.kill() };
  }
}
"""


@pytest.mark.slow
def test_the_typescript_snippet_passes_on_the_mock(tmp_path: Path) -> None:
    """The test of the page starts the mock with the command of its container, and its assertions hold."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    package = tmp_path / "node_modules/testcontainers"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"name": "testcontainers", "main": "index.mjs"}')
    (package / "index.mjs").write_text(STAND_IN)
    (code,) = re.findall(r"```ts\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "mock.test.mjs").write_text(code)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["node", "--test", "mock.test.mjs"],
        cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert re.search(r"^\S+ pass 1$", done.stdout, re.MULTILINE)


def test_the_page_names_the_image_of_this_version() -> None:
    """Each image of the page has the version of the kit, and so has no other page an older one."""
    pages = [PAGE, *(path.read_text("utf-8") for path in sorted((ROOT / "examples").rglob("*.md")))]
    versions = re.findall(r"ghcr\.io/OWNER/cyberun-contract-kit:([\w.]+)", "".join(pages))
    assert versions
    assert {*versions} == {VERSION}


def test_both_snippets_start_the_command_of_the_image() -> None:
    """Java and TypeScript start the mock as the image does by default, and wait for its health path."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    (default,) = re.findall(r"^CMD \[(.*)\]$", dockerfile, re.MULTILINE)
    assert PAGE.count(f"({default})") + PAGE.count(f"([{default}])") == 2
    (health,) = re.findall(r"127\.0\.0\.1:4010(/\S+?)'", dockerfile)
    assert PAGE.count(f'Wait.forHttp("{health}"') == 2
