"""The lock of a report folder."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from contract_tests.cli.common.errors import exit_with
from contract_tests.cli.common.output import format_os_error
from contract_tests.runs.checkpoint import check_writable


@contextmanager
def lock_folder(folder: Path | None) -> Iterator[None]:
    """Let only one run at a time report to a folder."""
    if folder is None:
        yield
        return
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
        check_writable(folder)
    except Timeout:
        exit_with(f"another run reports to {folder}; wait for it, or name another folder", 2)
    except OSError as error:
        exit_with(f"--report: {format_os_error(error, str(folder / 'lock'))}", 2)
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):
            (folder / "lock").unlink()
