"""Programs of the kit, run as a user runs them."""

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.fixture_player import ROOT

#: Whatever proxy the environment names.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
MOCK = [sys.executable, "-m", "mock_server"]


@dataclass(frozen=True, slots=True)
class Running:
    """A mock that serves, and what it printed until it did."""

    process: subprocess.Popen[str]
    url: str
    greeting: str


@contextmanager
def mock_server(*arguments: str, **options: Any) -> Iterator[Running]:
    """A mock on a port of its own; it is ended afterwards."""
    process = subprocess.Popen(
        [*MOCK, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **{"cwd": ROOT, **options},
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C"):
                break
        greeting = "".join(lines)
        found = re.search(r"http://\S+", greeting)
        assert found, process.stderr and process.stderr.read()
        yield Running(process, found[0], greeting)
    finally:
        process.terminate()
        process.wait(timeout=10)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The outcome of a mock-server command that ends by itself."""
    return subprocess.run(
        [*MOCK, *arguments], capture_output=True, text=True, timeout=60, cwd=cwd, check=False
    )


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status of a POST."""
    request = urllib.request.Request(url, body, dict(headers))
    with _DIRECT.open(request, timeout=10) as response:
        return int(response.status)


def fetched(url: str) -> str:
    """The text of what a GET answers."""
    with _DIRECT.open(url, timeout=10) as response:
        return str(response.read().decode())
