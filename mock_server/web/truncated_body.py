"""A response that breaks off on purpose."""

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

#: In the WSGI environ: the number of bytes to send before the connection closes; -1 sends no response at all.
TRUNCATE_AT = "mock_server.truncate_at"
#: Seconds that a server needs to send the bytes before the connection closes.
FLUSH_SECONDS = 0.05


class TruncatedBody:
    """A WSGI body that raises ConnectionResetError after `sent_bytes` bytes, so that the server closes.

    werkzeug's server does not close on an error, so its socket is shut down.
    """

    def __init__(self, body: bytes, sent_bytes: int, environ: dict[str, Any]) -> None:
        self.body, self.sent_bytes, self._environ = body, sent_bytes, environ

    def __iter__(self) -> Iterator[bytes]:
        __tracebackhide__ = True  # in process, the error ends in the test of a client
        if self.sent_bytes >= 0:
            yield self.body[: self.sent_bytes]
            time.sleep(FLUSH_SECONDS)
        connection = self._environ.get("werkzeug.socket")
        if connection is not None:
            with contextlib.suppress(OSError):  # the client may have closed first
                connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError("the connection is closed on demand")

    def close(self) -> None:
        """Do nothing; WSGI servers call it."""
