"""Files of a report: each is written whole or not at all, and one that cannot be written keeps no other back."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

#: Why a file cannot be replaced that may still be written: its folder, or a mount of the file alone.
_IRREPLACEABLE = (errno.EACCES, errno.EBUSY, errno.EPERM, errno.EROFS)


@contextmanager
def replace_file(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``path`` at the end; raise an OSError that names ``path``.

    A pipe or a link of that name is replaced too, so that nothing waits for a reader or leaves the folder.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)
        with draft.open("xb") as file:
            yield file
        draft.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file as ``replace_file`` does; text is UTF-8."""
    data = content if isinstance(content, bytes) else content.encode()
    with replace_file(path) as file:
        file.write(data)


def write_named_file(path: Path, text: str) -> None:
    """Write a file that the user names, in UTF-8: whole, or its earlier content stays.

    A pipe or a device is written to, and so is a file that nobody can replace, such as one in a read-only folder.
    """
    if path.is_file() or not path.exists():
        try:
            return write_file(path.resolve(), text)
        except OSError as error:
            if error.errno not in _IRREPLACEABLE:
                raise
    path.write_text(text, "utf-8")
    return None


def open_at_once(path: Path) -> TextIO:
    """Open a file for appending; raise OSError for a pipe without a reader, instead of waiting for one."""
    nonblocking = getattr(os, "O_NONBLOCK", 0)  # Windows has none
    number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | nonblocking, 0o666)
    if nonblocking:
        os.set_blocking(number, True)
    return os.fdopen(number, "a", encoding="utf-8")


def write_each(writes: Iterable[Callable[[], object]]) -> None:
    """Call all functions, each of which writes something; raise the OSErrors of those that failed as one group."""
    problems: list[Exception] = []
    for write in writes:
        try:
            write()
        except* OSError as failed:
            problems += failed.exceptions
    if problems:
        raise ExceptionGroup("files that cannot be written", problems)
