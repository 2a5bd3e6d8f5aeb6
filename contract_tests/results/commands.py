"""Curl commands that send the requests of a case again, and the files with the bodies that cannot be pasted."""

from collections.abc import Iterator, Sequence

from contract_tests.cases.model import Case
from contract_tests.targets.exchange import Exchange


def list_commands(name: str, case: Case, exchanges: Sequence[Exchange], folder: str | None) -> list[str]:
    """Return the commands, each with the caller of ``$TOKEN`` as a comment.

    Bodies that cannot be pasted are read from the files ``name-1.body`` … in ``folder``. Without a folder a comment
    takes the place of such a command. The requests of a race become one command that sends them at once.
    """
    lines = [
        _build_command(name, case, exchange, number, folder, single=len(exchanges) == 1)
        for number, exchange in enumerate(exchanges, 1)
    ]
    raced = sum(step.expect is not None for step in case.steps) if case.layer == "race" else 0
    if raced < 2 or len(lines) < raced:
        return lines
    setup, (command, _, comment) = lines[:-raced], lines[-1].partition("  # ")
    numbers = " ".join(map(str, range(1, raced + 1)))
    return [*setup, f"for n in {numbers}; do {command} & done; wait  # at the same moment, {comment}"]


def iter_body_files(name: str, exchanges: Sequence[Exchange]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of a file for each body that cannot be pasted and is stored whole."""
    for number, exchange in enumerate(exchanges, 1):
        content = exchange.body_bytes if exchange.needs_body_file else None
        if content is not None:
            yield _name_file(name, number), content


def _build_command(
    name: str, case: Case, exchange: Exchange, number: int, folder: str | None, *, single: bool
) -> str:
    comment = f"  # as {exchange.caller}"
    file = ""
    if exchange.needs_body_file:
        if folder is None:
            return f"# request {number} has a body that cannot be pasted; --report DIR writes it to a file"
        if exchange.body_bytes is None:
            return f"# request {number} has a body that is too long to store; contract-tests replay sends it"
        file = f"{folder}/{_name_file(name, number)}"
    # The recorded slug is taken by now, so a create that stands alone gets a new one.
    alone = single or case.layer == "race"
    new_slug = alone and exchange.method == "POST" and not case.rule.startswith("service-slug")
    return exchange.to_curl(file, new_slug=new_slug) + comment


def _name_file(name: str, number: int) -> str:
    return f"{name}-{number}.body"
