"""The log on standard error: one line per request or event, written at once."""

import contextlib
import sys


def log_request(line: str) -> None:
    """Write one line to standard error; a log that nobody reads any more stops no request."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{line}\n")
