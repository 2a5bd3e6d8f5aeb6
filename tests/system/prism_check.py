"""`make prism-check`: Prism's proxy checks the responses of the mock against the contract.

Violations of requests are ignored, since most fixture cases are invalid on purpose.
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
from tests.support.fixture_player import PREFIX, ROOT, Case, FixturePlayer, Response, cases

PRISM = ROOT / ".lint/node_modules/.bin/prism"


@contextmanager
def prism_proxy(upstream: str) -> Iterator[str]:
    """Run Prism's proxy before a server, and yield its URL."""
    command = [PRISM, "proxy", ROOT / "spec/openapi.yaml", upstream, "--port", "0", "--host", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            match = re.search(r"listening on (http://[0-9.:]+)", line)
            if match:
                break
        else:
            raise SystemExit("prism did not start")
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        yield match[1]
        drain.terminate()
    finally:
        process.terminate()
        process.wait(timeout=10)


@dataclass
class PrismExchange:
    """The responses that passed through the proxy, and their violations."""

    mock_url: str
    proxy_url: str
    pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)
    status_counts: Counter[str] = field(default_factory=Counter)
    violations: list[dict[str, Any]] = field(default_factory=list)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Send the two operations of the contract through the proxy, and other requests directly."""
        uses_proxy = path.startswith(f"{PREFIX}/containers")
        base = self.proxy_url + path.removeprefix(PREFIX) if uses_proxy else self.mock_url + path
        response = self.pool.request(method, base, headers=dict(headers), body=body or None, retries=False)
        if uses_proxy:
            self._record(response, method, path)
        return Response(response.status, dict(response.headers), response.data)

    def _record(self, response: urllib3.BaseHTTPResponse, method: str, path: str) -> None:
        violations = json.loads(response.headers.get("sl-violations", "[]"))
        self.status_counts[
            "by prism itself" if response.data.startswith(b'{"error"') else str(response.status)
        ] += 1
        for violation in violations:
            if violation["location"][0] == "response":
                self.violations.append({"on": f"{method} {path} {response.status}", **violation})


def run_cases(disabled_rules: frozenset[str], selected_cases: list[Case]) -> tuple[PrismExchange, list[str]]:
    """Run cases through the proxy; return the exchange, and the problems of the cases."""
    with (
        serving(create_app(disabled_rules=disabled_rules)) as port,
        prism_proxy(f"http://127.0.0.1:{port}{PREFIX}") as url,
    ):
        exchange = PrismExchange(f"http://127.0.0.1:{port}", url)
        return exchange, [
            f"{case.id}: {problem}"
            for case in selected_cases
            if (problem := find_case_problem(exchange, case))
        ]


def main() -> int:
    """Run every case; return 1 if Prism finds a violation in a response, or finds none in a faulty one."""
    all_cases = cases()
    faulty, _ = run_cases(frozenset({"created"}), [case for case in all_cases if case.id == "create-least"])
    exchange, problems = run_cases(frozenset(), all_cases)
    lines = [
        f"a mock whose create returns no id: {len(faulty.violations)} violation found",
        f"{len(all_cases)} cases, responses by status: {dict(sorted(exchange.status_counts.items()))}",
        *(f"response of prism, or changed by prism: {line[:150]}" for line in problems),
        *(f"violation: {json.dumps(violation)}" for violation in exchange.violations),
        f"contract violations in the mock's responses: {len(exchange.violations)}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(bool(exchange.violations) or not faulty.violations or not exchange.status_counts["201"])


def find_case_problem(exchange: PrismExchange, case: Case) -> str:
    """Return the problem of a case, or an empty text."""
    try:
        return FixturePlayer(exchange.send).judge(case)
    except (AssertionError, urllib3.exceptions.HTTPError) as error:
        return f"not played: {error!r}"


if __name__ == "__main__":
    sys.exit(main())
