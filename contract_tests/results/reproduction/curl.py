"""Curl: one recorded request as a command for a shell, with variables for tokens, ids and slugs."""

import re
import shlex
from collections.abc import Iterable, Mapping

from contract_tests.targets.exchange import (
    REDACTED,
    REDACTED_CUT,
    REDACTED_SWAPPED,
    TRACE_HEADERS,
    Exchange,
)

#: What stands for a secret in a recording, as a shell writes it.
_TOKENS = (REDACTED_SWAPPED, REDACTED, REDACTED_CUT)


def build_curl(
    exchange: Exchange,
    body_file: str = "",
    variables: Mapping[str, str] | None = None,
    *,
    only_body: bool = False,
) -> str:
    """Return a command that sends the same request.

    The body is read from ``body_file`` if one is given. ``variables`` maps texts of the recording to what the shell
    puts in their place, in double quotes; the ``token_variable`` of the exchange has the caller's secret. With
    ``only_body`` it prints the body of the response alone.
    """
    tokens = {text: text.replace("TOKEN", exchange.token_variable, 1) for text in _TOKENS}
    quote = _Quoter({**(variables or {}), **tokens})
    url = [*_url_options(exchange.url), quote(exchange.url)]
    words = ["curl", "-s" if only_body else "-i", "-X", exchange.method, *url]
    for name, value in exchange.headers:
        if exchange.trace_id and name in TRACE_HEADERS:
            continue  # names the trace of the run, not of the command
        words += ["-H", quote(f"{name}: {value}" if value else f"{name};")]
    if exchange.body is None:
        return " ".join(words)
    if not any(name.lower() == "content-type" for name, _ in exchange.headers):
        words += ["-H", "Content-Type:"]  # else curl names a type of its own
    if body_file:
        return " ".join([*words, "--data-binary", shlex.quote(f"@{body_file}")])
    option = "--data-raw" if exchange.body.startswith("@") else "--data-binary"
    command = " ".join([*words, option, quote(exchange.body)])
    cut = "  # the body is cut here; contract-tests replay sends all of it"
    return f"{command}{cut if exchange.body_cut else ''}"


class _Quoter:
    """Quotes a word for a shell, and puts variables in place of some of its texts."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        longest = sorted(variables, key=len, reverse=True)
        self._pattern = re.compile(f"({'|'.join(map(re.escape, longest))})")

    def __call__(self, word: str) -> str:
        """Return the quoted word: in double quotes if only the token varies, else with spliced variables."""
        parts = self._pattern.split(word)
        texts, found = parts[::2], parts[1::2]
        if not found:
            return shlex.quote(word)
        names = [self._variables[text] for text in found]
        if all(text in _TOKENS for text in found):
            return f'"{_interleave(map(escape_double_quoted, texts), names)}"'
        quoted = (shlex.quote(text) if text else "" for text in texts)
        return _interleave(quoted, [f'"{name}"' for name in names])


def _interleave(texts: Iterable[str], names: Iterable[str]) -> str:
    return "".join(text + name for text, name in zip(texts, [*names, ""], strict=True))


def escape_double_quoted(text: str) -> str:
    """Return a text as a shell reads it in double quotes."""
    return "".join("\\" + character if character in '"\\`$' else character for character in text)


def _url_options(url: str) -> list[str]:
    """Return the options with which curl sends a URL unchanged."""
    options = ["--globoff"] if re.search(r"[\[\]{}]", url) else []
    return [*options, "--path-as-is"] if re.search(r"/\.\.?(?=/|$)", url) else options
