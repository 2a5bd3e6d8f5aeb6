"""The shell commands that send the requests of a case again, and the files with the bodies that cannot be pasted.

Slugs are fresh, since the recorded ones are taken by now, and later commands name the new service.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contract_tests.cases.model import Case
from contract_tests.contract.files.json_text import parse_json
from contract_tests.results.reproduction.curl import build_curl
from contract_tests.results.reproduction.fresh_slugs import FreshSlug, list_fresh_slugs
from contract_tests.targets.exchange import Exchange

_READ_ID = """grep -o '"id" *: *"[^"]*"' | head -n 1 | cut -d '"' -f 4"""


def list_commands(
    name: str,
    case: Case,
    exchanges: Sequence[Exchange],
    folder: str | None,
    setup: Sequence[Exchange] = (),
) -> list[str]:
    """Return the commands, each with its caller as a comment.

    ``setup`` are the creates of services that the case shares with others; the commands create them anew. Bodies that
    cannot be pasted are read from the files ``name-1.body`` … in ``folder``. Without a folder a comment takes the
    place of such a command, and of a status that a control hook set: no request of the API does that. The requests
    of a race become one command that sends them at once.
    """
    writer = _name_variables(case, exchanges, setup)
    before = [*writer.list_slugs(), *(writer.write(exchange) for exchange in setup)]
    changes = _list_status_changes(case)
    requests: list[str] = []
    for number, exchange in enumerate(exchanges, 1):
        file = f"{folder}/{_name_file(name, number)}" if exchange.needs_body_file else ""
        command = _explain_body(number, exchange, folder) or writer.write(exchange, file)
        requests += [*changes.get(number, ()), command]
    return _join_race(case, [*before, *requests], len(before))


def iter_body_files(name: str, exchanges: Sequence[Exchange]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of a file for each body that cannot be pasted and is stored whole."""
    for number, exchange in enumerate(exchanges, 1):
        content = exchange.body_bytes if exchange.needs_body_file else None
        if content is not None:
            yield _name_file(name, number), content


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes commands with variables in place of the slugs and ids of a recording, by their recorded texts."""

    slugs: Sequence[FreshSlug]
    ids: Mapping[str, str]
    single_request: bool

    def list_slugs(self) -> list[str]:
        """Return the lines that set the slugs; a single request has its fresh slug in itself."""
        names = self._name_slugs()
        return [] if self.single_request else [f'{names[one.recorded]}="{one.fresh}"' for one in self.slugs]

    def write(self, exchange: Exchange, body_file: str = "") -> str:
        """Return the command of a request; one that creates a service for later requests keeps its id."""
        slugs = {text: f"${name}" for text, name in self._name_slugs().items()}
        if self.single_request:
            slugs = {one.recorded: one.fresh for one in self.slugs}
        new = self.ids.get(read_created_id(exchange)) if exchange.method == "POST" else None
        renewal = self._renew_file(exchange, body_file, slugs)
        texts = {**slugs, **{text: f"${name}" for text, name in self.ids.items()}}
        source = "-" if renewal else body_file
        command = renewal + build_curl(exchange, source, texts, only_body=new is not None)
        if new is not None:
            command = f"{new}=$({command} | {_READ_ID})"
        return f"{command}  # as {exchange.caller}"

    def _name_slugs(self) -> dict[str, str]:
        return {one.recorded: f"SLUG{n if n > 1 else ''}" for n, one in enumerate(self.slugs, 1)}

    def _renew_file(self, exchange: Exchange, body_file: str, slugs: Mapping[str, str]) -> str:
        """Return the command that puts the fresh slug into a body that is read from a file, and a pipe."""
        content = exchange.body_bytes if body_file else None
        found = [
            one.recorded for one in self.slugs if one.is_plain and one.recorded.encode() in (content or b"")
        ]
        scripts = " ".join(f'-e "s/{text}/{slugs[text]}/g"' for text in found)
        return f"LC_ALL=C sed {scripts} {shlex.quote(body_file)} | " if found else ""


def _list_status_changes(case: Case) -> dict[int, list[str]]:
    """Return comments about the statuses that a control hook set, by the number of the request that follows."""
    comments: dict[int, list[str]] = {}
    number = 1
    for step in case.steps:
        if step.operation == "setStatus":
            text = f"# now set the status of the service to {step.status}, as --control-hook does"
            comments.setdefault(number, []).append(text)
        else:
            number += 1
    return comments


def _explain_body(number: int, exchange: Exchange, folder: str | None) -> str:
    """Return a comment in place of a command whose body is in no file, else an empty string."""
    if not exchange.needs_body_file:
        return ""
    if folder is None:
        where = "the report folder of a run (--report DIR) has it in a file"
        return f"# request {number} has a body that cannot be pasted; {where}"
    if exchange.body_bytes is None:
        return f"# request {number} has a body that is too long to store; contract-tests replay sends it"
    return ""


def _name_variables(case: Case, exchanges: Sequence[Exchange], setup: Sequence[Exchange]) -> _Writer:
    every = [*setup, *exchanges]
    return _Writer(list_fresh_slugs(case, every), _name_ids(every), len(every) == 1)


def _name_ids(exchanges: Sequence[Exchange]) -> dict[str, str]:
    """Return a variable for each id of a created service that a later request names."""
    found: list[str] = []
    for number, exchange in enumerate(exchanges):
        new = read_created_id(exchange) if exchange.method == "POST" else ""
        later = exchanges[number + 1 :]
        if new and any(new in one.url or new in (one.body or "") for one in later):
            found.append(new)
    return {new: f"ID{number if number > 1 else ''}" for number, new in enumerate(found, 1)}


def read_slug(exchange: Exchange) -> str:
    """Return the slug that a request sends, an empty string without one."""
    whole = exchange.body_bytes  # a long body is stored beside its beginning
    text = exchange.body if whole is None else whole.decode("utf-8", "replace")
    return _read_text(text, "service_slug")


def read_created_id(exchange: Exchange) -> str:
    """Return the id in a success, an empty string without one."""
    return _read_text(exchange.response_body, "id") if 200 <= exchange.status < 300 else ""


def _read_text(text: str | None, name: str) -> str:
    """Return a property of a JSON object, an empty string if it is no text."""
    try:
        value = parse_json(text or "")
    except ValueError:
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
