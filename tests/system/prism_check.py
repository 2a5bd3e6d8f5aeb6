"""`make prism-check`: Prism's proxy stands before the mock and judges its answers by our contract.

What Prism says about a request is left aside: most fixture cases are wrong on purpose.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import urllib3

from mock_server import create_app
from tests.support.clients import serving
from tests.support.fixture_player import PREFIX, ROOT, Case, Play, Reply, cases

PRISM = ROOT / ".lint/node_modules/.bin/prism"


@contextmanager
def proxy(upstream: str) -> Iterator[str]:
    """The URL of Prism's proxy before a server."""
    command = [PRISM, "proxy", ROOT / "spec/openapi.yaml", upstream, "--port", "0", "--host", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            found = re.search(r"listening on (http://[0-9.:]+)", line)
            if found:
                break
        else:
            raise SystemExit("prism did not start")
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        yield found[1]
        drain.terminate()
    finally:
        process.terminate()
        process.wait(timeout=10)


@dataclass
class Judged:
    """The answers that passed through the proxy, and what it said of them."""

    direct: str
    proxied: str
    pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)
    answers: Counter[str] = field(default_factory=Counter)
    violations: list[dict[str, Any]] = field(default_factory=list)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Sends the contract's two operations through the proxy, and everything else past it."""
        through = path.startswith(f"{PREFIX}/containers")
        base = self.proxied + path.removeprefix(PREFIX) if through else self.direct + path
        answer = self.pool.request(method, base, headers=dict(headers), body=body or None, retries=False)
        if through:
            self._note(answer, method, path)
        return Reply(answer.status, dict(answer.headers), answer.data)

    def _note(self, answer: urllib3.BaseHTTPResponse, method: str, path: str) -> None:
        said = json.loads(answer.headers.get("sl-violations", "[]"))
        self.answers["by prism itself" if answer.data.startswith(b'{"error"') else str(answer.status)] += 1
        for violation in said:
            if violation["location"][0] == "response":
                self.violations.append({"on": f"{method} {path} {answer.status}", **violation})


def judged(without: frozenset[str], played: list[Case]) -> tuple[Judged, list[str]]:
    """The cases played through the proxy, and those that Prism answered or changed (malformed JSON)."""
    with (
        serving(create_app(disabled_rules=without)) as port,
        proxy(f"http://127.0.0.1:{port}{PREFIX}") as url,
    ):
        result = Judged(f"http://127.0.0.1:{port}", url)
        return result, [f"{case.id}: {said}" for case in played if (said := _judge(result, case))]


def main() -> int:
    """Plays every case; 1 where Prism found a violation in an answer, or where it cannot see one."""
    played = cases()
    broken, _ = judged(frozenset({"created"}), [case for case in played if case.id == "create-least"])
    result, changed = judged(frozenset(), played)
    lines = [
        f"a mock whose create answers no id: {len(broken.violations)} violation found",
        f"{len(played)} cases, answers by status: {dict(sorted(result.answers.items()))}",
        *(f"answered or changed by prism: {line[:150]}" for line in changed),
        *(f"violation: {json.dumps(violation)}" for violation in result.violations),
        f"contract violations in the mock's answers: {len(result.violations)}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(bool(result.violations) or not broken.violations or not result.answers["201"])


def _judge(through: Judged, case: Case) -> str:
    try:
        return Play(through.send).judge(case)
    except (AssertionError, urllib3.exceptions.HTTPError) as error:
        return f"not played: {error!r}"


if __name__ == "__main__":
    sys.exit(main())
