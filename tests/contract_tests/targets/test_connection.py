"""Interim responses are read past, whatever their status."""

import socket
import threading

from contract_tests.targets.base import Request, Response
from contract_tests.targets.http import HttpTarget

_INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
_FINAL = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


def test_the_final_response_counts_and_the_connection_stays_in_step() -> None:
    """Two requests on one connection get their final responses, each after two interim ones."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = threading.Thread(target=_answer_twice, args=(server,), daemon=True)
        answer.start()
        target = HttpTarget(f"http://127.0.0.1:{server.getsockname()[1]}")
        responses = [target.send(Request("POST", "/containers", (), b"{}")) for _ in range(2)]
        answer.join(5)
    assert [r.status for r in responses if isinstance(r, Response)] == [201, 201]


def _answer_twice(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        for _ in range(2):
            request = b""
            while not request.endswith(b"{}"):
                request += connection.recv(65536)
            connection.sendall(_INTERIM + _FINAL)
