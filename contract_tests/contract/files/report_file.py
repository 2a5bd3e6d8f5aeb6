"""Files of a report: each is written whole or not at all, and one that cannot be written keeps no other back."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


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
