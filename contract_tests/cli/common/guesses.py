"""Names that users guess for an option or a command, and what they look for."""

from collections.abc import Mapping

import click

_RULES = ("--rules", "-k RULE runs only the rules whose id contains RULE; `mock-server rules` lists them")
_TARGET = ("--target", "--target URL names the deployment")
_MOCK = "`mock-server` serves the mock"
_RUN = "`contract-tests run` judges a deployment"

#: For each guess, an option of the commands that it is meant for, and what has its purpose there.
_OPTIONS: Mapping[str, tuple[str, str]] = {
    "--junit": ("--format", "--report DIR writes junit.xml"),
    "--junit-xml": ("--format", "--report DIR writes junit.xml"),
    "--html": ("--format", "--report DIR writes report.html"),
    "--json": ("--format", "--report DIR writes report.json"),
    "--output": ("--format", "--report DIR writes all reports"),
    "-o": ("--format", "--report DIR writes all reports"),
    "--report": ("--output", "-o FILE names the file that is written"),
    "--url": _TARGET,
    "--base-url": _TARGET,
    "--token": ("--callers", "--callers FILE names the tokens; `mock-server callers` prints such a file"),
    "--rule": _RULES,
    "--list": _RULES,
}
_COMMANDS: Mapping[str, str] = {
    "serve": _MOCK,
    "mock": _MOCK,
    "rules": "`mock-server rules` lists the rules",
    "callers": "`mock-server callers` prints a callers file",
    "judge": _RUN,
    "test": _RUN,
    "verify": _RUN,
}


def find_option_hint(guess: str, command: click.Command) -> str:
    """Return what has the purpose of an option that a command does not have, or an empty string."""
    needed, hint = _OPTIONS.get(guess, ("", ""))
    return hint if any(needed in param.opts for param in command.params) else ""


def find_command_hint(guess: str) -> str:
    """Return what has the purpose of a command that does not exist, or an empty string."""
    return _COMMANDS.get(guess, "")
