"""The commands of the kit as processes."""

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

#: Ignores proxies of the environment.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
MOCK = [sys.executable, "-m", "mock_server"]


@dataclass(frozen=True, slots=True)
class MockProcess:
    """A mock that serves, and its output until then."""

    process: subprocess.Popen[str]
    url: str
    greeting: str


@contextmanager
def mock_server(*arguments: str, **options: Any) -> Iterator[MockProcess]:
    """Run a mock on a free port."""
    process = subprocess.Popen(
        [*MOCK, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        **{"stderr": subprocess.PIPE, "cwd": ROOT, **options},
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C"):
                break
        greeting = "".join(lines)
        match = re.search(r"http://\S+", greeting)
        assert match, process.stderr and process.stderr.read()
        yield MockProcess(process, match[0], greeting)
    finally:
        process.terminate()
        process.wait(timeout=10)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a mock-server command to its end."""
    return subprocess.run(
        [*MOCK, *arguments], capture_output=True, text=True, timeout=60, cwd=cwd, check=False
    )


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a POST and return the status."""
    request = urllib.request.Request(url, body, dict(headers))
    with _DIRECT.open(request, timeout=10) as response:
        return int(response.status)


def fetch_text(url: str) -> str:
    """Send a GET and return the text of the response."""
    with _DIRECT.open(url, timeout=10) as response:
        return str(response.read().decode())
