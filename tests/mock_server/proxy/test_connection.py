"""Connections to the upstream: the heads of responses that are refused, and where a response ends."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import BadStatusLine, IncompleteRead

import pytest

from mock_server.proxy.connection import InvalidResponseError, _CheckedResponse, check_fields

INVALID = {
    "two-framings": [("Content-Length", "2"), ("Transfer-Encoding", "chunked")],
    "two-lengths": [("Content-Length", "2"), ("content-length", "2")],
    "a-list-of-lengths": [("Content-Length", "2, 2")],
    "a-negative-length": [("Content-Length", "-2")],
    "a-sign": [("Content-Length", "+2")],
    "other-digits": [("Content-Length", "٢")],
    "a-length-beyond-any": [("Content-Length", "9" * 19)],
    "another-coding": [("Transfer-Encoding", "gzip, chunked")],
    "two-codings": [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
    "nul": [("X-A", "a\0b")],
    "a-folded-line": [("X-A", "a\r\n b")],
    "a-blank-in-a-name": [("X A", "a")],
    "no-name": [("", "a")],
}


@pytest.mark.parametrize("fields", INVALID.values(), ids=INVALID)
def test_ambiguous_fields_are_refused(fields: list[tuple[str, str]]) -> None:
    """Fields that two programs may read in two ways are an error."""
    with pytest.raises(InvalidResponseError, match="got "):
        check_fields("OK", fields)


@pytest.mark.parametrize("fields", [[], [("Content-Length", "0")], [("Transfer-Encoding", "Chunked")]])
def test_one_framing_is_valid(fields: list[tuple[str, str]]) -> None:
    """A response has a length, chunks, or ends with its connection; values may have tabs and Latin-1."""
    check_fields("Très bien", [*fields, ("X-A", "a\tb é")])


def test_a_control_character_in_the_status_line_is_refused() -> None:
    """A reason phrase is a line of text."""
    with pytest.raises(InvalidResponseError, match="in the status line"):
        check_fields("O\rK", [])


@contextmanager
def response_of(sent: bytes, method: str = "GET") -> Iterator[_CheckedResponse]:
    """Yield the response that a server has sent; the server closes the connection afterwards."""
    server, client = socket.socketpair()
    with server, client:
        client.settimeout(5)
        server.sendall(sent)
        server.shutdown(socket.SHUT_WR)
        with closing(_CheckedResponse(client, method=method)) as response:
            yield response


BAD_HEADS = {
    "no-end": (b"HTTP/1.1 200 OK\r\nContent-Length: 5", "breaks off"),
    "no-field": (b"HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 5\r\n\r\n", "no header field"),
    "switched": (b"HTTP/1.1 101 Switching\r\n\r\n", "no upgrade was asked for"),
    "interim": (b"HTTP/1.1 103 Early\r\n\r\n" * 30, "got 20 interim responses"),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n" * 7000, "got a head over 131072 bytes"),
    "large": (b"HTTP/1.1 200 OK\r\n" + b"X-A: %s\r\n" % (b"a" * 60_000) * 3 + b"\r\n", "got a head over"),
    "mail": (b"HTTP/1.1 200 OK\r\nFrom a: b\r\n\r\n", "no header field"),
    "chunks-in-1.0": (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "in HTTP/1.0"),
}


@pytest.mark.parametrize(("sent", "message"), BAD_HEADS.values(), ids=BAD_HEADS)
def test_a_bad_head_is_refused(sent: bytes, message: str) -> None:
    """A head that is cut, invalid, too large or never final is an error."""
    with response_of(sent) as response, pytest.raises(InvalidResponseError, match=message):
        response.begin()


@pytest.mark.parametrize("character", [*range(9), *range(11, 32), 127])
def test_a_control_character_in_a_head_is_refused(character: int) -> None:
    """Another program may read a line with a carriage return as two lines."""
    field = b"X-A: a" + bytes([character]) + b"Set-Cookie: evil=1"
    with (
        response_of(b"HTTP/1.1 200 OK\r\n" + field + b"\r\nContent-Length: 2\r\n\r\nok") as response,
        pytest.raises(InvalidResponseError, match="control character"),
    ):
        response.begin()


STATUS_LINES = [
    *(b"HTTP/1.1 +200 OK", b"HTTP/1.1 2_00 OK", b"HTTP/1.1 0200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 099 OK"),
    *(b"HTTP/1.9 200 OK", b"HTTP/1.1x 200 OK", b"HTTP/0.9 200 OK", b"HTTP/2 200 OK", b"HTTP/1.1"),
    *(
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1\t200 OK",
        b" HTTP/1.1 200 OK",
        b"http/1.1 200 OK",
        b"HTTP/1.1 200 O\rK",
    ),
]


@pytest.mark.parametrize("line", STATUS_LINES)
def test_an_invalid_status_line_is_refused(line: bytes) -> None:
    """A status line has HTTP/1.0 or 1.1, three digits and a reason, with one blank between them."""
    with (
        response_of(line + b"\r\nContent-Length: 2\r\n\r\nok") as response,
        pytest.raises((InvalidResponseError, BadStatusLine)),
    ):
        response.begin()


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 200 ", 200, ""),
        (b"HTTP/1.0 404", 404, ""),
        (b"HTTP/1.1 201 Tr\xe8s\tbien", 201, "Très\tbien"),
    ],
)
def test_a_valid_status_line_is_read(line: bytes, status: int, reason: str) -> None:
    """The reason may be empty, and may have tabs and Latin-1."""
    with response_of(line + b"\r\nContent-Length: 0\r\n\r\n") as response:
        response.begin()
        assert (response.status, response.reason) == (status, reason)


def read_chunks(sent: bytes) -> bytes:
    """Return the body of a response with these chunks."""
    with response_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + sent) as response:
        response.begin()
        return b"".join(iter(response.read1, b""))


@pytest.mark.parametrize("size", [b"2", b"02", b"2;a=b", b'2 ; a="b\tc"'])
@pytest.mark.parametrize("trailer", [b"", b"X-A: 1\r\n"])
def test_valid_chunks_are_read(size: bytes, trailer: bytes) -> None:
    """A size may have zeros before it and an extension after it; trailer fields are dropped."""
    assert read_chunks(size + b"\r\n{}\r\nA\r\n0123456789\r\n0\r\n" + trailer + b"\r\n") == b"{}0123456789"


INVALID_CHUNKS = {
    **{
        f"size-{size!r}": b"%s\r\n{}\r\n0\r\n\r\n" % size
        for size in (b"0x2", b"+2", b"0_2", b" 2 ", b"-2", b"")
    },
    "size-too-large": b"%s\r\n{}\r\n0\r\n\r\n" % (b"0" * 16 + b"2"),
    "size-line-too-long": b"2;%s\r\n{}\r\n0\r\n\r\n" % (b"a" * 65536),
    "size-with-lf": b"2\n{}\r\n0\r\n\r\n",
    "size-with-cr": b"2;\r2\r\n{}\r\n0\r\n\r\n",
    "data-too-long": b"2\r\n{}XX0\r\n\r\n",
    "data-with-lf": b"2\r\n{}\n0\r\n\r\n",
    "no-last-chunk": b"2\r\n{}\r\n",
    "no-last-line": b"2\r\n{}\r\n0\r\n",
    "trailer-cut": b"2\r\n{}\r\n0\r\nX-A: 1\r\n",
    "trailer-with-cr": b"2\r\n{}\r\n0\r\nX-A: 1\rX\r\n\r\n",
}


@pytest.mark.parametrize("sent", INVALID_CHUNKS.values(), ids=INVALID_CHUNKS)
def test_invalid_chunks_break_off_the_body(sent: bytes) -> None:
    """Chunks are read strictly (RFC 9112, 7.1), and the body is whole only with its last empty line."""
    with pytest.raises((InvalidResponseError, IncompleteRead)):
        read_chunks(sent)


def test_interim_responses_are_dropped() -> None:
    """The response is the first one that is not interim, with its own fields only."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX-A: 1\r\n\r\n"
    with response_of(interim + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as response:
        response.begin()
        assert (response.status, response.headers.items(), response.read1()) == (
            200,
            [("Content-Length", "2")],
            b"ok",
        )


@pytest.mark.parametrize(
    ("method", "status", "framing", "reused"),
    [
        ("GET", 204, b"", True),
        ("GET", 204, b"Content-Length: 0", True),
        ("GET", 204, b"Content-Length: 5", False),
        ("GET", 204, b"Transfer-Encoding: chunked", False),
        ("HEAD", 200, b"Transfer-Encoding: chunked", False),
    ],
)
def test_a_forbidden_body_is_not_read(method: str, status: int, framing: bytes, reused: bool) -> None:
    """The body after a 204 or a HEAD is empty; if fields announce one, the connection is not used again."""
    head = b"HTTP/1.1 %d X\r\n%s\r\n\r\n" % (status, framing) if framing else b"HTTP/1.1 204 X\r\n\r\n"
    with response_of(head + b"5\r\nhello\r\n0\r\n\r\n", method) as response:
        response.begin()
        assert (response.read1(), response.will_close) == (b"", not reused)
