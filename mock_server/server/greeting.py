"""The greeting: what the mock prints once it answers."""

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from mock_server.app.options import MockOptions
from mock_server.contract.model import BASE_PATH
from mock_server.contract.resources import VERSION
from mock_server.validation.callers import CREDENTIAL_KINDS, CallerDirectory, load_callers
from mock_server.web.hosts import is_loopback

_EXAMPLE = '{"service_slug": "my-service", "display_name": "My service", "docker_image": "nginx:1.27"}'


def print_when_ready(host: str, port: int, text: str) -> None:
    """Print the text as soon as the port accepts connections, from a separate thread."""

    def wait_and_print() -> None:
        for _ in range(1000):
            with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
                break
            time.sleep(0.01)
        with contextlib.suppress(OSError):
            sys.stdout.write(escape_text(text, sys.stdout.encoding) + "\n")
            sys.stdout.flush()

    threading.Thread(target=wait_and_print, daemon=True).start()


def escape_text(text: str, encoding: str) -> str:
    """Return the text with escapes in place of what a terminal obeys, or what the encoding does not have."""
    visible = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
    return visible.encode(encoding, "backslashreplace").decode(encoding)


def mock_greeting(base_url: str, options: MockOptions) -> str:
    """Return the URL, the callers and a request to paste. Tokens of the user's own callers are not shown."""
    source = options.callers if not isinstance(options.callers, str | CallerDirectory) else None
    callers = load_callers(source, any_token=options.any_token)
    packaged = options.callers is None
    lines = [f"mock-server {VERSION} at {base_url}"]
    if options.control:
        lines.append(f"Page: {base_url.removesuffix(BASE_PATH)}/_mock/")
        lines += warn_of_open_control(base_url)
    lines += ["", "Callers:", *_list_callers(callers, show_tokens=packaged)]
    if options.any_token:
        lines.append("  and any other well-formed token (sk-…, dk-…, or a JWT)")
    if isinstance(options.profile, str | Path):
        lines += ["", f"Profile: {options.profile}"]
    if options.latency or options.fault_rate:
        lines += ["", f"Random faults: {' '.join(_random_options(options))}"]
    token = next((t for t, c in callers.callers.items() if c.kind in CREDENTIAL_KINDS), "sk-anything")
    curl = _example_curl(base_url, token if packaged else "$TOKEN")
    return "\n".join([*lines, "", "Try:", *curl, "", "Ctrl-C ends it."])


def warn_of_open_control(base_url: str) -> list[str]:
    """Return a line that says what a server opens that other machines reach."""
    if is_loopback(urlsplit(base_url).hostname or ""):
        return []
    return [
        "Everyone who reaches this address can use /_mock/: requests with bodies, state. --no-control turns it off."
    ]


def _random_options(options: MockOptions) -> Iterator[str]:
    values = (
        ("--latency", options.latency),
        ("--fault-rate", options.fault_rate),
        ("--seed", options.seed),
    )
    yield from (f"{name} {value}" for name, value in values if value is not None and value != "")


def _list_callers(callers: CallerDirectory, *, show_tokens: bool) -> Iterator[str]:
    labels = {team: label for label, team in callers.teams.items()}
    for token, caller in callers.callers.items():
        teams = " ".join(labels.get(team, team) for team in caller.teams)
        yield f"  {caller.name:<10} of {teams:<10}" + (f" {token}" if show_tokens else "")
    yield from (f"  team {label:<5} is {team}" for label, team in callers.teams.items())


def _example_curl(base_url: str, token: str) -> list[str]:
    return [
        f"  curl -i {base_url}/containers \\",
        f'    -H "Authorization: Bearer {token}" -H "Content-Type: application/json" \\',
        f"    -d '{_EXAMPLE}'",
    ]
