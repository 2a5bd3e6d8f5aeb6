"""Connections: read past interim responses, and give up a response at a deadline, however slowly it drips.

A client must read past any 1xx (RFC 9110, 15.2), and http.client knows 100 only. Its timeouts are those of a single
read, so that a server can hold a client for as long as it sends a byte now and then.
"""

import io
import socket
import time
from contextlib import suppress
from http.client import HTTPResponse
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

_MAX_INTERIM = 20


class _DeadlineReader(io.RawIOBase):
    """The bytes of a socket until a deadline; afterwards each read raises TimeoutError."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock, self._seconds = sock, seconds
        self._deadline = time.monotonic() + seconds
        self._raw: Any = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Read what the socket has, within the time that is left."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the response was not complete in time")
        self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        """Close the view of the socket, not the socket, which gets its own timeout back."""
        with suppress(OSError):  # it may be closed
            self._sock.settimeout(self._seconds)
        self._raw.close()
        super().close()


class _FinalResponse(HTTPResponse):
    """A response that begins after all interim ones, and ends within the timeout of its socket."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        if (seconds := sock.gettimeout()) is not None:
            self.fp.close()
            self.fp = io.BufferedReader(_DeadlineReader(sock, seconds))

    def begin(self) -> None:
        """Read status and headers, again for each interim response."""
        super().begin()
        for _ in range(_MAX_INTERIM):
            if not 101 < self.status < 200:
                return
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()


class _Connection(HTTPConnection):
    response_class = _FinalResponse


class _SecureConnection(HTTPSConnection):
    response_class = _FinalResponse


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def open_pool(**options: Any) -> urllib3.PoolManager:
    """Return a pool of such connections."""
    pool = urllib3.PoolManager(**options)
    pool.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return pool
