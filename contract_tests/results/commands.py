"""The shell commands that send the requests of a case again, and the files with the bodies that cannot be pasted.

Creates get a new slug, since the recorded one is taken by now, and later commands name the new service.
"""

import json
import re
from collections.abc import Iterator, Sequence

from contract_tests.cases.model import Case
from contract_tests.results.curl import build_curl
from contract_tests.targets.exchange import Exchange

_RENEWABLE_SLUG = re.compile(r"[a-z0-9-]{3,60}")
_NOW = "$(date +%s)"
_READ_ID = """sed -n 's/.*"id": *"\\([^"]*\\)".*/\\1/p'"""


def list_commands(name: str, case: Case, exchanges: Sequence[Exchange], folder: str | None) -> list[str]:
    """Return the commands, each with its caller as a comment.

    Bodies that cannot be pasted are read from the files ``name-1.body`` … in ``folder``. Without a folder a comment
    takes the place of such a command. The requests of a race become one command that sends them at once.
    """
    slugs, ids = _name_slugs(case, exchanges), _name_ids(exchanges)
    variables = {text: f"${variable}" for text, variable in (slugs | ids).items()}
    lines = [f"{variable}={slug}-{_NOW}" for slug, variable in slugs.items()]
    if len(exchanges) == 1:
        lines, variables = [], {slug: f"{slug}-{_NOW}" for slug in slugs}
    setup = len(lines)
    single = len({exchange.caller for exchange in exchanges}) == 1
    for number, exchange in enumerate(exchanges, 1):
        token = "TOKEN" if single else f"TOKEN_{re.sub(r'[^A-Za-z0-9]', '_', exchange.caller).upper()}"
        file = f"{folder}/{_name_file(name, number)}" if exchange.needs_body_file and folder else ""
        if exchange.needs_body_file and folder is None:
            lines.append(
                f"# request {number} has a body that cannot be pasted; --report DIR writes it to a file"
            )
        elif exchange.needs_body_file and exchange.body_bytes is None:
            lines.append(
                f"# request {number} has a body that is too long to store; contract-tests replay sends it"
            )
        else:
            command = build_curl(exchange, file, variables, caller_variable=token)
            new = ids.get(_read_id(exchange)) if exchange.method == "POST" else None
            if new:
                command = f"{new}=$({command.replace('curl -i', 'curl -s', 1)} | {_READ_ID})"
            lines.append(f"{command}  # as {exchange.caller}")
    return _join_race(case, lines, setup)


def iter_body_files(name: str, exchanges: Sequence[Exchange]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of a file for each body that cannot be pasted and is stored whole."""
    for number, exchange in enumerate(exchanges, 1):
        content = exchange.body_bytes if exchange.needs_body_file else None
        if content is not None:
            yield _name_file(name, number), content


def _name_slugs(case: Case, exchanges: Sequence[Exchange]) -> dict[str, str]:
    """Return a variable for each slug of a create whose command can have another one."""
    if case.rule.startswith("service-slug"):
        return {}
    creates = [exchange for exchange in exchanges if exchange.method == "POST"]
    fixed = {_read_slug(exchange) for exchange in creates if exchange.needs_body_file}
    found = dict.fromkeys(_read_slug(exchange) for exchange in creates)
    usable = [slug for slug in found if slug not in fixed and _RENEWABLE_SLUG.fullmatch(slug)]
    # A slug that contains another one, as a similar slug does, changes together with it.
    slugs = [slug for slug in usable if not any(other in slug for other in usable if other != slug)]
    return {slug: f"SLUG{number if number > 1 else ''}" for number, slug in enumerate(slugs, 1)}


def _name_ids(exchanges: Sequence[Exchange]) -> dict[str, str]:
    """Return a variable for each id of a created service that a later request names."""
    found: list[str] = []
    for number, exchange in enumerate(exchanges):
        new = _read_id(exchange) if exchange.method == "POST" and not exchange.needs_body_file else ""
        later = exchanges[number + 1 :]
        if new and any(new in one.url or new in (one.body or "") for one in later):
            found.append(new)
    return {new: f"ID{number if number > 1 else ''}" for number, new in enumerate(found, 1)}


def _read_slug(exchange: Exchange) -> str:
    return _read_text(exchange.body, "service_slug")


def _read_id(exchange: Exchange) -> str:
    return _read_text(exchange.response_body, "id") if 200 <= exchange.status < 300 else ""


def _read_text(text: str | None, name: str) -> str:
    """Return a property of a JSON object, an empty string if it is no text."""
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return ""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def _join_race(case: Case, lines: list[str], setup: int) -> list[str]:
    """Return the lines with the requests of a race as one command; ``setup`` lines come before the requests."""
    raced = sum(step.expect is not None for step in case.steps) if case.layer == "race" else 0
    start = setup + len(case.steps) - raced
    if raced < 2 or len(lines) < start + raced:
        return lines
    pairs = [line.partition("  # ")[::2] for line in lines[start : start + raced]]
    commands, comment = [command for command, _ in pairs], f"  # at the same moment, {pairs[0][1]}"
    if len(set(commands)) == 1:
        numbers = " ".join(map(str, range(1, raced + 1)))
        race = f"for n in {numbers}; do {commands[0]} & done; wait{comment}"
    else:
        race = f"{' & '.join(commands)} & wait{comment}"
    return [*lines[:start], race, *lines[start + raced :]]


def _name_file(name: str, number: int) -> str:
    return f"{name}-{number}.body"
