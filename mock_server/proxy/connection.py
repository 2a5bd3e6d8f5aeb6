"""Connections to the upstream: the head of a response is bounded and checked, and interim responses are dropped.

http.client accepts responses that a proxy must not forward: two framings, a length or a chunk size that is no number,
a carriage return within a line, a head or a last chunk that breaks off. Its timeout is that of a single read, so that
a response that drips would never end.
"""

import io
import re
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from http.client import BadStatusLine, HTTPException, HTTPResponse, RemoteDisconnected
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
_MAX_LINE_BYTES = 64 * 1024
#: The blank before an absent reason is required (RFC 9112, 4), but many servers leave it out.
_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-9][0-9]{2})(?: ([^\x00-\x08\x0a-\x1f\x7f]*))?\r?\n")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[^\r\n]*)?\r\n")
#: One line with its end: text without a control byte except tab.
_TEXT_LINE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*(?:\r?\n)?")


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


class _LineReader(io.BufferedReader):
    """Reads lines, and refuses one with a control byte, which another program may read as two lines."""

    def read_raw_line(self) -> bytes:
        """Return the next line, up to a size, without a check."""
        return super().readline(_MAX_LINE_BYTES)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line; raise InvalidResponseError if it has a control byte other than tab."""
        line = super().readline(size)
        if not _TEXT_LINE.fullmatch(line):
            raise InvalidResponseError("got a control character in a line of the head or of the framing")
        return line


class _CheckedResponse(HTTPResponse):
    """A final response with a valid head; each part of its body arrives within the timeout of the socket.

    The private methods override those of http.client.
    """

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self._reader = _BoundedReader(sock, sock.gettimeout() or 0)
        self.fp = self._lines = _LineReader(self._reader)

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

    def _read_status(self) -> tuple[str, int, str]:
        """Return version, status and reason of a status line (RFC 9112, 4)."""
        line = self._lines.read_raw_line()
        if not line:
            raise RemoteDisconnected("got no response")
        if not line.startswith(b"HTTP/"):
            raise BadStatusLine(repr(line))
        if (match := _STATUS_LINE.fullmatch(line)) is None:
            raise InvalidResponseError(
                "got an invalid status line, expected HTTP/1.1 or HTTP/1.0 and a status of three digits"
            )
        version, status, reason = match.groups(b"")
        return version.decode(), int(status), reason.decode("latin-1")

    def _check_head(self) -> None:
        if self._reader.at_end:
            raise InvalidResponseError("got a head that breaks off")
        if self.status == 101:
            raise InvalidResponseError("got 101, although no upgrade was asked for")
        try:
            assert_header_parsing(self.headers)
        except HeaderParsingError as error:
            raise InvalidResponseError("got a line that is no header field") from error
        if self.headers.get_unixfrom() is not None:  # `From `, which the parser of mails takes for no field
            raise InvalidResponseError("got a line that is no header field")
        check_fields(self.reason, self.headers.items())
        if self.version == 10 and "transfer-encoding" in self.headers:
            raise InvalidResponseError("Transfer-Encoding: got a value in HTTP/1.0, expected none")

    def _forbid_body(self) -> None:
        """Read no body after a 204, a 304 or a HEAD, and reuse no connection on which one may follow."""
        if self.length == 0 and (self.chunked or self.headers.get("content-length", "0") != "0"):
            self.chunked, self.will_close = False, True

    def read1(self, n: int = -1) -> bytes:
        """Read what the socket has of the body, within the whole time."""
        self._reader.restart()
        return super().read1(n)

    def _get_chunk_left(self) -> int | None:
        """Return the bytes left of a chunk, None after the last; a line break has to end each chunk."""
        if self.chunk_left == 0:
            if self._safe_read(2) != b"\r\n":  # type: ignore[attr-defined]
                raise InvalidResponseError("got a chunk longer than its size")
            self.chunk_left = None
        left: int | None = super()._get_chunk_left()  # type: ignore[misc]
        return left

    def _read_next_chunk_size(self) -> int:
        """Return the size of the next chunk (RFC 9112, 7.1)."""
        match = _CHUNK_LINE.fullmatch(self._lines.readline(_MAX_LINE_BYTES))
        if match is None:
            raise InvalidResponseError("got an invalid chunk size, expected a hexadecimal number")
        return int(match[1], 16)

    def _read_and_discard_trailer(self) -> None:
        """Read up to the empty line after the trailer fields."""
        line = b""
        while line != b"\r\n":
            line = self._lines.readline(_MAX_LINE_BYTES)
            if not line.endswith(b"\r\n"):
                raise InvalidResponseError("got a last chunk that breaks off")


class _RawTargetConnection:
    """A connection that sends the target of a request unchanged."""

    response_class = _CheckedResponse

    def request(self, method: str, _url: str, *args: Any, headers: Any, **options: Any) -> None:
        target = headers.pop(TARGET_HEADER)
        super().request(method, target, *args, headers=headers, **options)  # type: ignore[misc]

    def _encode_request(self, request: str) -> bytes:
        """Return the bytes of a request line, of which http.client would take ASCII only."""
        return request.encode("latin-1")


class PlainConnection(_RawTargetConnection, HTTPConnection):  # type: ignore[misc]
    """A connection without TLS."""


class SecureConnection(_RawTargetConnection, HTTPSConnection):  # type: ignore[misc]
    """A connection with verified TLS."""
