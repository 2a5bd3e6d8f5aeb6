"""Interim responses are read past, whatever their status."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from contract_tests.targets.base import NoResponse, Request, Response
from contract_tests.targets.http import HttpTarget

_INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
_FINAL = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


def test_the_final_response_counts_and_the_connection_stays_in_step() -> None:
    """Two requests on one connection get their final responses, each after two interim ones."""
    with _serve_connections([_INTERIM + _FINAL] * 2) as url:
        target = HttpTarget(url, connections=1)
        responses = [target.send(Request("POST", "/containers", (), b"{}")) for _ in range(2)]
    assert [r.status for r in responses if isinstance(r, Response)] == [201, 201]


def test_too_many_interim_responses_are_no_response() -> None:
    """None of 21 interim responses counts as the response, and none of four tries gets one."""
    with _serve_connections(*[[_INTERIM * 11 + _FINAL]] * 4, [_FINAL]) as url:
        target = HttpTarget(url)
        responses = [target.send(Request("POST", "/containers", (), b"{}")) for _ in range(2)]
    assert isinstance(responses[0], NoResponse)
    assert responses[0].reason == "more than 20 interim responses"
    assert isinstance(responses[1], Response)
    assert (responses[1].status, responses[1].body) == (201, b"{}")


def test_a_switch_of_protocols_ends_the_connection() -> None:
    """The request after a 101 goes over another connection."""
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
    with _serve_connections([switch, b""], [_FINAL]) as url:
        target = HttpTarget(url, connections=1)
        responses = [target.send(Request("POST", "/containers", (), b"{}")) for _ in range(2)]
    assert [(r.status, r.resent) for r in responses if isinstance(r, Response)] == [
        (101, False),
        (201, False),
    ]


@contextmanager
def _serve_connections(*connections: list[bytes]) -> Iterator[str]:
    """Serve these answers, a list for each connection in turn; yield the base URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = threading.Thread(target=_answer_requests, args=(server, connections), daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        serving.join(5)


def _answer_requests(server: socket.socket, connections: Iterable[list[bytes]]) -> None:
    for answers in connections:
        connection, _ = server.accept()
        with connection:
            for answer in answers:
                request = b""
                while not request.endswith(b"{}"):
                    if not (received := connection.recv(65536)):
                        break
                    request += received
                connection.sendall(answer)
