"""Connections: read past interim responses, and give up a response at a deadline, however slowly it drips.

A client must read past any 1xx (RFC 9110, 15.2), and http.client knows 100 only. Its timeouts are those of a single
read, so that a server can hold a client for as long as it sends a byte now and then.
"""

import functools
import io
import socket
import time
from contextlib import suppress
from http.client import SWITCHING_PROTOCOLS, HTTPException, HTTPResponse, RemoteDisconnected
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from contract_tests.targets.clock import RunClock

_MAX_INTERIM = 20
#: How often a read looks whether the run is over.
_LOOK_SECONDS = 0.5


class _DeadlineReader(io.RawIOBase):
    """The bytes of a socket until a deadline or the end of the run; ``ended`` once a read met their end."""

    def __init__(self, sock: socket.socket, seconds: float, clock: RunClock) -> None:
        self._sock, self._seconds, self._clock = sock, seconds, clock
        self._deadline = time.monotonic() + seconds
        self.ended = False
        self._file = sock.makefile("rb", buffering=0)  # keeps the socket open while it is read

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Read what the socket has; raise TimeoutError after the deadline, RunStopped after the run."""
        while (left := self._deadline - time.monotonic()) > 0:
            self._clock.check()
            self._sock.settimeout(min(left, _LOOK_SECONDS))
            with suppress(TimeoutError):
                count = self._sock.recv_into(buffer)
                self.ended = not count
                return count
        raise TimeoutError("the response was not complete in time")

    def close(self) -> None:
        """Close the view of the socket, not the socket, which gets its own timeout back."""
        with suppress(OSError):  # it may be closed
            self._sock.settimeout(self._seconds)
        self._file.close()
        super().close()


class TooManyInterim(HTTPException):
    """A response does not begin after many interim ones."""


class _FinalResponse(HTTPResponse):
    """A response that begins after all interim ones, and ends within the timeout of its socket."""

    def __init__(self, sock: socket.socket, *args: Any, clock: RunClock, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._reader: _DeadlineReader | None = None
        if (seconds := sock.gettimeout()) is not None:
            self.fp.close()
            self._reader = _DeadlineReader(sock, seconds, clock)
            self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        """Read status and headers, again for each interim response; raise TooManyInterim after 20."""
        self._read_head()
        for _ in range(_MAX_INTERIM):
            if not 101 < self.status < 200:
                # After a switch of protocols the rest of the connection is no HTTP.
                self.will_close = self.will_close or self.status == SWITCHING_PROTOCOLS
                return
            self.headers = self.msg = None  # type: ignore[assignment]
            self._read_head()
        raise TooManyInterim(f"more than {_MAX_INTERIM} interim responses")

    def _read_head(self) -> None:
        """Read status and headers; raise RemoteDisconnected if the connection ends within them."""
        super().begin()
        # http.client takes the end of the bytes for the end of the head.
        if self._reader and self._reader.ended:
            raise RemoteDisconnected("the connection ended within the head of a response")


class _ClockedConnection:
    """A connection whose responses end with the run."""

    def __init__(self, *args: Any, clock: RunClock, **options: Any) -> None:
        super().__init__(*args, **options)
        self.response_class = functools.partial(_FinalResponse, clock=clock)


class _Connection(_ClockedConnection, HTTPConnection):  # type: ignore[misc]
    """A connection without TLS."""


class _SecureConnection(_ClockedConnection, HTTPSConnection):  # type: ignore[misc]
    """A connection with verified TLS."""


class _Pool(urllib3.HTTPConnectionPool):
    """Uses its connections in turn, so that requests meet all instances behind an address."""

    ConnectionCls, QueueCls = _Connection, Queue  # type: ignore[assignment]


class _SecurePool(urllib3.HTTPSConnectionPool):
    """The same with TLS."""

    ConnectionCls, QueueCls = _SecureConnection, Queue  # type: ignore[assignment]


def open_pool(url: str, clock: RunClock, **options: Any) -> urllib3.HTTPConnectionPool:
    """Return a pool of such connections to the host of a URL; ``options`` are those of urllib3's pools."""
    parts = urlsplit(url)
    kind = _SecurePool if parts.scheme == "https" else _Pool
    return kind(parts.hostname or "", parts.port, clock=clock, **options)
