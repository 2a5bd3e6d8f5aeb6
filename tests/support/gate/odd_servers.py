"""Local targets that misbehave, and the command that judges them."""

import itertools
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from contract_tests.cases.callers import load_callers
from contract_tests.contract.resources import data_file
from tests.support.gate.gate import App
from tests.support.gate.messages import (
    Interceptor,
    Request,
    Response,
    Send,
)

COMMAND = [sys.executable, "-m", "contract_tests"]
TOKENS = [caller.token for caller in load_callers(data_file("fixtures/callers.yaml"))]


class CommandResult:
    """Output, exit code and duration of a command."""

    def __init__(self, code: int, out: str, err: str, seconds: float) -> None:
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    @property
    def last(self) -> str:
        """The last line on stdout."""
        return self.out.strip().splitlines()[-1]


def run_command(*arguments: str | Path, cwd: Path | None = None, timeout: float = 120) -> CommandResult:
    """Run contract-tests as a process; assert that it prints no traceback and no token."""
    started = time.monotonic()
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=cwd,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    assert not any(token in done.stdout + done.stderr for token in TOKENS)
    return CommandResult(done.returncode, done.stdout, done.stderr, time.monotonic() - started)


@contextmanager
def serve_app(app: App, drops: Callable[[], bool] = lambda: False) -> Iterator[str]:
    """Serve an app and yield its base URL; a request for which ``drops`` is true gets no response."""

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name is Werkzeug's
            """Log nothing."""

        def run_wsgi(self) -> None:
            """Respond, or close the connection."""
            if drops():
                self.close_connection = True
            else:
                super().run_wsgi()

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/api/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def serve_mute() -> Iterator[str]:
    """Yield the base URL of a target that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1"


def closed_port() -> str:
    """Return a base URL on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1"


def build_constant_app(status: int, body: bytes, media_type: str) -> App:
    """Return an app that gives the same response to every request."""

    def application(_environ: Any, start_response: Any) -> list[bytes]:
        start_response(
            f"{status} Whatever", [("Content-Type", media_type), ("Content-Length", str(len(body)))]
        )
        return [body]

    return application


def build_busy_app(app: App, when: Callable[[], bool], status: int, wait: str) -> App:
    """Return an app that is sometimes too busy, and names the time to wait."""

    def application(environ: Any, start_response: Any) -> Any:
        if not when():
            return app(environ, start_response)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(f"{status} Busy", [("Retry-After", wait), ("Content-Length", "0")])
        return [b""]

    return application


def lose_responses(app: App, when: Callable[[], bool]) -> App:
    """Return an app that carries out each create, and loses its response where ``when`` is true."""

    def application(environ: Any, start_response: Any) -> Any:
        body = app(environ, start_response)
        if environ["REQUEST_METHOD"] == "POST" and when():
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return body

    return application


def store_then_fail(app: App, when: Callable[[], bool]) -> App:
    """Return an app that carries out each create, and answers with a 503 where ``when`` is true."""

    def application(environ: Any, start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] != "POST" or not when():
            return app(environ, start_response)
        list(app(environ, lambda *_: None))
        start_response("503 Service Unavailable", [("Content-Length", "0")])
        return [b""]

    return application


def every_nth(count: int) -> Callable[[], bool]:
    """Return a function that is true at every n-th call."""
    number = itertools.count(1)
    return lambda: next(number) % count == 0


def after_count(count: int) -> Callable[[], bool]:
    """Return a function that is true after a number of calls."""
    number = itertools.count()
    return lambda: next(number) >= count


def first_seconds(seconds: float) -> Callable[[], bool]:
    """Return a function that is true for some seconds after its first call."""
    started: list[float] = []

    def when() -> bool:
        started.append(time.monotonic())
        return started[-1] - started[0] < seconds

    return when


def echo_secret(request: Request, send: Send) -> Response:
    """Repeat the Authorization header in every response."""
    response = send(request)
    secret = request.header("Authorization") or ""
    value = response.value if response.body.startswith(b"{") else {}
    return response.with_value({**value, "seen": secret, "again": f"<{secret}>"})


def slow_down(seconds: float) -> Interceptor:
    """Delay every request."""

    def delay(request: Request, send: Send) -> Response:
        time.sleep(seconds)
        return send(request)

    return delay
