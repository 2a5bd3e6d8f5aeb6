"""Apps that only benchmarks serve: `python -m benchmarks.servers.apps PORT KIND [ARGUMENT …]`."""

import importlib
import itertools
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request
from granian import Granian
from granian.constants import Interfaces

from benchmarks.servers.stores import fill_store
from mock_server import create_app
from mock_server.server import process
from mock_server.server.front import Front
from mock_server.services.addresses import open_store
from mock_server.services.model import MEMORY
from mock_server.web.middleware import collect_body

#: The path that reports the number of requests so far.
COUNT_PATH = "/counted"
_BARE_FLASK_THREADS = 4


def build_bare_app() -> Any:
    """Return a minimal Flask app: it parses the JSON and answers with an id."""
    app = Flask("bare")

    @app.post("/api/v1/containers")
    def create() -> tuple[dict[str, str], int]:
        return {"id": str(request.get_json()["service_slug"])}, 201

    @app.put("/api/v1/containers/<service_id>")
    def update(service_id: str) -> dict[str, str]:
        request.get_json()
        return {"id": service_id}

    return lambda environ, start_response: collect_body(app(environ, start_response))


def build_filled_mock(address: str, count: str) -> Any:
    """Return a mock whose store at the address holds `count` services."""
    store = open_store(address)
    fill_store(store, address, int(count))
    return create_app(store=store)


def build_faulty_mock(name: str) -> Any:
    """Return a mock with the planted fault of that name, or a correct one, that counts its requests."""
    faults = importlib.import_module("tests.quality.faults").FAULTS
    planted = next((fault for fault in faults if fault.name == name), None)
    return _count_requests(_build_correct_mock() if planted is None else planted.app())


def _build_correct_mock() -> Any:
    """Return a mock behind an interceptor that changes nothing: it costs as much as a planted fault."""
    planting = importlib.import_module("tests.support.gate.planting")
    return planting.add_interceptor(create_app(), lambda request, send: send(request))


def _count_requests(app: Callable[..., Iterable[bytes]]) -> Any:
    number = itertools.count()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == COUNT_PATH:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(next(number)).encode()]
        next(number)
        return app(environ, start_response)

    return application


def serve_bare_app(port: int) -> None:
    """Serve bare Flask on granian's WSGI interface."""
    server = Granian(
        "benchmarks",
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=_BARE_FLASK_THREADS,
        log_enabled=False,
    )
    server.serve(target_loader=build_bare_app, wrap_loader=False)


def serve_mock_app(port: int, kind: str, *arguments: str) -> None:
    """Serve a `filled` or `faulty` mock behind the front of `mock-server`."""
    build_app = build_filled_mock if kind == "filled" else build_faulty_mock
    blocks = kind == "filled" and arguments[0] != MEMORY
    threads = process.THREADS if blocks else 0

    def load_front() -> Front:
        return Front(build_app(*arguments), body_timeout=30, threads=threads)

    process.run_server(process.ServerOptions(port=port), load_front)


def main() -> None:
    """Serve an app until the process is stopped."""
    port, kind, *arguments = sys.argv[1:]
    if kind == "bare":
        serve_bare_app(int(port))
    else:
        serve_mock_app(int(port), kind, *arguments)


if __name__ == "__main__":
    main()
