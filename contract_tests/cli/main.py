"""The ``contract-tests`` command."""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from contract_tests.cli.common.streams import open_closed_streams

if TYPE_CHECKING:
    import click

_PATIENCE = 3.0  # seconds in which a command that was interrupted ends by itself
_MOMENT = 0.05  # seconds after which a callback is over


def main() -> None:
    """Run the command; a signal at any moment, even while modules load, ends it with one line."""
    open_closed_streams()
    try:
        _run_command()
    except SystemExit as end:
        leave_threads(end.code)
        raise


def _run_command() -> None:
    names = [
        name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
    ]  # Windows has no SIGHUP
    numbers = [getattr(signal, name) for name in names]
    handled = [one for one in numbers if signal.getsignal(one) is not signal.SIG_IGN]  # nohup ignores SIGHUP
    interrupt = _Interrupt()
    sys.unraisablehook = interrupt.repeat_lost
    try:
        for number in handled:
            signal.signal(number, interrupt)
        build_command()()
    except KeyboardInterrupt:
        sys.stderr.write("contract-tests: interrupted\n")
        sys.exit(130)
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_IGN)  # the exit code stands
        sys.unraisablehook = sys.__unraisablehook__


def leave_threads(code: Any) -> None:
    """End the process with its code if threads of an app in it do not end, for which Python would wait."""
    left = [each for each in threading.enumerate() if each is not threading.main_thread() and not each.daemon]
    deadline = time.monotonic() + _PATIENCE
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    if not any(thread.is_alive() for thread in left):
        return
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    with suppress(OSError, ValueError):
        sys.stderr.write(
            "contract-tests: the app left a thread that does not end; the command ends without it\n"
        )
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


class _Interrupt:
    """Handles every signal like Ctrl-C; those that follow at once do not disturb the end of the command."""

    def __init__(self) -> None:
        self._ignored_until = 0.0
        self._number = signal.SIGINT
        self._raised = KeyboardInterrupt()

    def __call__(self, number: int, _: Any) -> None:
        now = time.monotonic()
        if now >= self._ignored_until:
            self._ignored_until, self._number = now + _PATIENCE, signal.Signals(number)
            self._raised = KeyboardInterrupt()
            raise self._raised

    def repeat_lost(self, lost: "sys.UnraisableHookArgs") -> None:
        """Send a signal again that came within a destructor or a callback, out of which nothing can be raised."""
        if lost.exc_value is not self._raised:  # an app may raise one of its own
            sys.__unraisablehook__(lost)
            return
        self._ignored_until = 0.0
        again = threading.Timer(_MOMENT, os.kill, (os.getpid(), self._number))
        again.daemon = True
        again.start()


def build_command() -> "click.Group":
    """Load all commands, which takes half a second, and return them as one."""
    import click

    from contract_tests.cli.commands.calibrate import calibrate
    from contract_tests.cli.commands.check import check
    from contract_tests.cli.commands.compare import compare
    from contract_tests.cli.commands.evolve import evolve
    from contract_tests.cli.commands.init import init, schema
    from contract_tests.cli.commands.learn import learn
    from contract_tests.cli.commands.merge import merge
    from contract_tests.cli.commands.mutate import mutate
    from contract_tests.cli.commands.parity import parity
    from contract_tests.cli.commands.plan import plan
    from contract_tests.cli.commands.replay import replay
    from contract_tests.cli.commands.run import run
    from contract_tests.cli.common.errors import CommandGroup
    from contract_tests.contract.resources import VERSION

    @click.group(
        cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
    )
    @click.version_option(VERSION, prog_name="contract-tests")
    def commands() -> None:
        """Judge a deployment of the two operations, rule by rule.

        Exit codes: 0 conforms, 1 violated, 2 wrong usage, 3 the target could not be judged, 130 interrupted before a
        violation.
        """

    @commands.command(hidden=True)
    def freeze() -> None:
        """Write the generated bodies and scenarios that are shipped for the gate; for developers of the kit."""
        from contract_tests.contract.spec import load_spec
        from contract_tests.execution.random_scenarios import freeze_scenarios
        from contract_tests.generation.bodies import freeze_samples
        from contract_tests.generation.rounds import GATE_EXAMPLES

        freeze_samples(load_spec(), 0, GATE_EXAMPLES)
        freeze_scenarios(0)

    for command in (
        run, replay, check, compare, calibrate, parity, learn, evolve, merge, mutate, plan, init, schema,
    ):  # fmt: skip
        commands.add_command(command)
    return commands
