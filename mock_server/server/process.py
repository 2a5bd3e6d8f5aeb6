"""The server process: a reserved port, granian, and workers that end with their parent."""

import contextlib
import errno
import functools
import math
import multiprocessing
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mock_server.app.factory import MAX_BYTES, create_app
from mock_server.app.options import MockOptions
from mock_server.contract import resources
from mock_server.contract.model import BASE_PATH
from mock_server.contract.resources import UnusableFileError
from mock_server.server.front import BODY_TIMEOUT_SECONDS, Front
from mock_server.server.greeting import mock_greeting, print_when_ready
from mock_server.server.reload import ReloadingApp
from mock_server.server.request_log import log_request
from mock_server.services.model import MEMORY
from mock_server.web.middleware import is_control_path

#: Requests that may wait for a database, or read the control plane, at the same time, per worker.
THREADS = 8
#: Seconds that another request may wait for its turn, since a locked database holds up all of them.
QUEUE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The options of the process around a mock or a proxy; `body_timeout` is in seconds."""

    host: str = "127.0.0.1"
    port: int = 4010
    workers: int = 1
    watch: bool = False
    quiet: bool = False
    body_timeout: float = BODY_TIMEOUT_SECONDS

    def __post_init__(self) -> None:
        """Refuse values that would fail only while the server starts."""
        if not self.host:
            raise ValueError("--host: got nothing, expected an address such as 127.0.0.1")
        if not 0 < self.body_timeout < math.inf:
            raise ValueError(f"--body-timeout: got {self.body_timeout}, expected a number of seconds above 0")

    @property
    def base_url(self) -> str:
        """The base URL of the served contract."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{BASE_PATH}"


@contextlib.contextmanager
def reserve_port(host: str, port: int) -> Iterator[int]:
    """Yield a port that no other process listens at, and hold it until the server ends."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind_socket(probe, host, port)
        free = int(probe.getsockname()[1])
    # granian binds with SO_REUSEPORT on Linux: without a lock a second mock would share the port silently.
    if sys.platform != "linux":
        yield free
        return
    with socket.socket(family, socket.SOCK_STREAM) as lock:
        lock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _bind_socket(lock, host, free)
        yield free


def _bind_socket(probe: socket.socket, host: str, port: int) -> None:
    try:
        probe.bind((host, port))
    except (OSError, UnicodeError, TypeError) as error:  # a TypeError is of bytes that are no UTF-8
        raise UnusableFileError(_explain_bind_error(error, host, port)) from error


def _explain_bind_error(error: OSError | UnicodeError | TypeError, host: str, port: int) -> str:
    """Return why an address cannot be used, and what to give instead."""
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return f"{host}:{port}: address already in use; choose another with --port, or --port 0 for any"
    if number in {errno.EACCES, errno.EPERM}:
        return f"--port {port}: not permitted for this user; choose a port from 1024, or --port 0 for any free one"
    if isinstance(error, socket.gaierror | UnicodeError | TypeError):
        reason = "no name or address that this machine knows"
        reason += "; give it without a scheme, a port or brackets" if set(host) & set("/:[]") else ""
    else:
        reason = "no address of this machine"
    return f"--host {host}: {reason}; use 127.0.0.1 for this machine only, or 0.0.0.0 for every network"


def serve_mock(server: ServerOptions, options: MockOptions) -> None:
    """Serve a mock until the process is told to end. The caller reserves the port."""
    unclaimed = multiprocessing.Lock() if server.workers > 1 else None
    run_server(server, functools.partial(_load_worker, server, options, unclaimed))


def run_server(server: ServerOptions, loader: Callable[[], Any]) -> None:
    """Serve the ASGI app that the loader returns in each worker.

    One of several workers is replaced if it ends, unless it is a replacement that ends within seconds.
    """
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces

    granian = Granian(
        "mock_server",
        address=server.host if ":" in server.host else socket.gethostbyname(server.host),
        port=server.port,
        interface=Interfaces.ASGINL,
        workers=server.workers,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        workers_kill_timeout=1,
        respawn_failed_workers=server.workers > 1,
    )
    try:
        granian.serve(target_loader=functools.partial(_load_or_exit, loader), wrap_loader=False)
    except SystemExit as end:
        if end.code and not granian.interrupt_signal:
            again = " again within seconds" if server.workers > 1 else ""
            sys.exit(f"mock-server: a worker process was killed or failed{again}, so the server ends")


def _load_or_exit(loader: Callable[[], Any]) -> Any:
    """Return the app of a worker; end with one line if a file or the store became unusable since the start."""
    try:
        return loader()
    except (UnusableFileError, ValueError) as error:
        sys.exit(f"mock-server: {' '.join(str(error).split())}")


def _load_worker(server: ServerOptions, options: MockOptions, unclaimed: Any) -> Front:
    """Return the app of a worker; the worker that claims the lock prints the greeting and reports reloads."""
    exit_with_parent()
    app: Any = create_app(options, log=None if server.quiet else log_request)
    max_bytes = app.config[MAX_BYTES]
    reports = unclaimed is None or unclaimed.acquire(block=False)
    if server.watch:
        spec = Path(str(options.spec)) if options.spec else resources.find_resource("spec/openapi.yaml")
        app = ReloadingApp(app, spec, log_request if reports else lambda _: None)
        app.start()
    if not server.quiet and reports:
        print_when_ready(server.host, server.port, mock_greeting(server.base_url, options))
    return Front(
        app,
        body_timeout=server.body_timeout,
        max_bytes=max_bytes,
        threads=THREADS,
        queue_timeout=QUEUE_SECONDS,
        quick=lambda path: options.store == MEMORY and not is_control_path(path),
    )


def exit_with_parent() -> None:
    """End the worker once its parent process is gone, even if that was killed, so that the port is free."""
    parent = multiprocessing.parent_process()

    def wait_and_exit() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait_and_exit, name="parent", daemon=True).start()
