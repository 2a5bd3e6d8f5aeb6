"""Apps on the server of `mock-server`, set up as it sets it up: `python -m benchmarks.servers.apps PORT KIND …`."""

import importlib
import itertools
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request
from granian import Granian
from granian.constants import Interfaces

from benchmarks.servers import stores
from mock_server import create_app
from mock_server.server import process
from mock_server.server.front import Front
from mock_server.services import open_store
from mock_server.services.model import MEMORY
from mock_server.web.middleware import collect_body

#: What an app that counts answers with the number of its requests.
COUNTED = "/counted"


def bare() -> Any:
    """The least that a Flask app can do here: parse the JSON, answer an id."""
    app = Flask("bare")

    @app.post("/api/v1/containers")
    def create() -> tuple[dict[str, str], int]:
        return {"id": str(request.get_json()["service_slug"])}, 201

    @app.put("/api/v1/containers/<service_id>")
    def update(service_id: str) -> dict[str, str]:
        request.get_json()
        return {"id": service_id}

    return lambda environ, start_response: collect_body(app(environ, start_response))


def grown(address: str, count: str) -> Any:
    """A mock whose store holds so many services already."""
    store = open_store(address)
    stores.fill(store, address, int(count))
    return create_app(store=store)


def faulty(name: str) -> Any:
    """A mock with a planted fault, or without one, that counts its requests."""
    faults = importlib.import_module("tests.quality.faults").FAULTS
    planted = next((fault for fault in faults if fault.name == name), None)
    return _counted(_untwisted() if planted is None else planted.app())


def _untwisted() -> Any:
    """The mock behind a twist that changes nothing: what the planting itself changes is there, too."""
    planting = importlib.import_module("tests.support.gate.planting")
    return planting.twisted(create_app(), lambda request, send: send(request))


def _counted(app: Callable[..., Iterable[bytes]]) -> Any:
    number = itertools.count()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == COUNTED:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(next(number)).encode()]
        next(number)
        return app(environ, start_response)

    return application


KINDS: dict[str, Callable[..., Any]] = {"grown": grown, "faulty": faulty}


def main() -> None:
    """Serve an app until the process is told to end."""
    port, kind, *rest = sys.argv[1:]
    if kind == "bare":
        Granian(
            "benchmarks", port=int(port), interface=Interfaces.WSGI, blocking_threads=4, log_enabled=False
        ).serve(target_loader=bare, wrap_loader=False)
    else:
        threads = 0 if rest[0] == MEMORY or kind == "faulty" else process.DATABASE_THREADS

        def load() -> Front:
            return Front(KINDS[kind](*rest), body_timeout=30, threads=threads)

        process.run_server(process.ServerOptions(port=int(port)), load)


if __name__ == "__main__":
    main()
