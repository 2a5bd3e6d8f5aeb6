"""Connections to the upstream: the head of a response is bounded and checked, and interim responses are dropped.

http.client accepts what a proxy must not forward: two framings, a length that is no number, a head that breaks off.
Its timeout is that of a single read, so that a response that drips would never end.
"""

import io
import re
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HeaderParsingError
from urllib3.util.response import assert_header_parsing

#: The head of a response, with all interim responses before it, has at most this many bytes.
MAX_HEAD_BYTES = 128 * 1024
_MAX_INTERIM_RESPONSES = 20
#: Never sent: it hides the request target from the pool, which would change %2f to %2F.
TARGET_HEADER = ":target"

_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(r"[0-9]{1,18}")


class InvalidResponseError(HTTPException):
    """A response that cannot be forwarded; the message repeats no value of it."""


def check_fields(reason: str, fields: Iterable[tuple[str, str]]) -> None:
    """Raise InvalidResponseError unless all fields are well-formed and name at most one framing (RFC 9112, 6.3)."""
    lengths, codings = [], []
    for name, value in fields:
        if not _FIELD_NAME.fullmatch(name):
            raise InvalidResponseError("got a header field with an invalid name")
        if _CONTROL_CHARACTER.search(value):
            raise InvalidResponseError("got a control character in a header field")
        if name.lower() == "content-length":
            lengths.append(value)
        elif name.lower() == "transfer-encoding":
            codings.append(value.strip().lower())
    if _CONTROL_CHARACTER.search(reason):
        raise InvalidResponseError("got a control character in the status line")
    if codings and lengths:
        raise InvalidResponseError("got Content-Length and Transfer-Encoding, expected one of them")
    if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
        raise InvalidResponseError("Content-Length: got several values or no number, expected one number")
    if codings not in ([], ["chunked"]):
        raise InvalidResponseError("Transfer-Encoding: got another value, expected chunked")


class _BoundedReader(io.RawIOBase):
    """The bytes of a socket, within a time and, until `end_head` is called, within a number of bytes."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock, self._seconds = sock, seconds
        self._raw: Any = sock.makefile("rb", buffering=0)
        self._head_bytes = 0
        self._in_head = True
        self.at_end = False
        self.restart()

    def restart(self) -> None:
        """Give the next part the whole time."""
        self._deadline = time.monotonic() + self._seconds

    def end_head(self) -> None:
        """Bound the bytes no longer."""
        self._in_head = False

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Read what the socket has; raise TimeoutError at the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the response did not arrive in time")
        self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        self.at_end = count == 0
        self._head_bytes += count or 0
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES:
            raise InvalidResponseError(f"got a head over {MAX_HEAD_BYTES} bytes")
        return count

    def close(self) -> None:
        """Close this view of the socket, which gets its own timeout back."""
        with suppress(OSError):  # it may be closed
            self._sock.settimeout(self._seconds)
        self._raw.close()
        super().close()


class _CheckedResponse(HTTPResponse):
    """A final response with a valid head; each part of its body arrives within the timeout of the socket."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self._reader = _BoundedReader(sock, sock.gettimeout() or 0)
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        """Read status and headers, again after each interim response; raise InvalidResponseError on a bad head."""
        for _ in range(_MAX_INTERIM_RESPONSES):
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
            self._check_head()
            if self.status >= 200:
                self._reader.end_head()
                self._forbid_body()
                return
        raise InvalidResponseError(f"got {_MAX_INTERIM_RESPONSES} interim responses, expected a final one")

    def _check_head(self) -> None:
        if self._reader.at_end:
            raise InvalidResponseError("got a head that breaks off")
        if self.status == 101:
            raise InvalidResponseError("got 101, although no upgrade was asked for")
        try:
            assert_header_parsing(self.headers)
        except HeaderParsingError as error:
            raise InvalidResponseError("got a line that is no header field") from error
        check_fields(self.reason, self.headers.items())

    def _forbid_body(self) -> None:
        """Read no body after a 204, a 304 or a HEAD, and reuse no connection on which one may follow."""
        if self.length == 0 and (self.chunked or self.headers.get("content-length", "0") != "0"):
            self.chunked, self.will_close = False, True

    def read1(self, n: int = -1) -> bytes:
        """Read what the socket has of the body, within the whole time."""
        self._reader.restart()
        return super().read1(n)


class _RawTargetConnection:
    """A connection that sends the target of a request unchanged."""

    response_class = _CheckedResponse

    def request(self, method: str, _url: str, *args: Any, headers: Any, **options: Any) -> None:
        target = headers.pop(TARGET_HEADER)
        super().request(method, target, *args, headers=headers, **options)  # type: ignore[misc]


class PlainConnection(_RawTargetConnection, HTTPConnection):  # type: ignore[misc]
    """A connection without TLS."""


class SecureConnection(_RawTargetConnection, HTTPSConnection):  # type: ignore[misc]
    """A connection with verified TLS."""
