"""The HTTP surface of the deployment: FastAPI routes, dependencies and error answers."""

import asyncio
import functools
import io
import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from a2wsgi import ASGIMiddleware
from fastapi import Depends, FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from examples.deployment.body import Refusal
from examples.deployment.choices import DEFAULT, Choices
from examples.deployment.service import Call, Caller, Deployment, Service, load_callers

DEFAULT_CALLERS = Path(__file__).parents[2] / "fixtures" / "callers.yaml"
CALLERS_VARIABLE = "DEPLOYMENT_CALLERS"

Callers = str | Path | Mapping[str, Caller] | None
WsgiApp = Callable[[Any, Any], Iterable[bytes]]


class AsciiJSON(Response):
    """JSON in ASCII: whatever a client sent can be shown, and nothing fails to encode."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


class ProblemJSON(AsciiJSON):
    media_type = "application/problem+json"


def error_answer(
    choices: Choices, status: int, reasons: Iterable[str], headers: Mapping[str, str]
) -> Response:
    told, sent = list(reasons), dict(headers)
    if choices.report == "first":
        told = told[:1]
    if status == 401:
        sent.setdefault("WWW-Authenticate", "Bearer")
    if choices.error_body == "empty":
        return Response(status_code=status, headers=sent)
    if choices.error_body == "text":
        text = "\n".join(told).encode("ascii", "backslashreplace")
        return Response(text, status_code=status, headers=sent, media_type="text/plain")
    if choices.error_body == "problem":
        problem = {"title": "Request refused", "status": status, "errors": told}
        return ProblemJSON(problem, status_code=status, headers=sent)
    return AsciiJSON({"ok": False, "reasons": told}, status_code=status, headers=sent)


async def limited_body(request: Request, limit: int | None) -> bytes | None:
    """The body, read to its end in any case; None where it is longer than the limit."""
    chunks, length = [], 0
    try:
        async for chunk in request.stream():
            length += len(chunk)
            if limit is None or length <= limit:
                chunks.append(chunk)
    except ClientDisconnect as error:
        raise Refusal(400, "the body ended early") from error
    return None if limit is not None and length > limit else b"".join(chunks)


async def incoming(request: Request) -> Call:
    """Dependency: the request as plain values, for the checks to judge in their order."""
    deployment = current_deployment(request)
    return Call(
        authorization=request.headers.getlist("authorization"),
        team_header=request.headers.getlist("x-team-id"),
        content_type=", ".join(request.headers.getlist("content-type")) or None,
        raw=await limited_body(request, deployment.choices.max_body_bytes),
        service_id=request.path_params.get("service_id", ""),
        management=request.method in {"POST", "PUT"},
    )


def current_deployment(request: Request) -> Deployment:
    deployment: Deployment = request.app.state.deployment
    return deployment


Incoming = Annotated[Call, Depends(incoming)]
Current = Annotated[Deployment, Depends(current_deployment)]


def changed(deployment: Deployment, service: Service, status: int) -> Response:
    answer: dict[str, Any] = {"id": deployment.show_id(service)}
    if deployment.choices.extra_in_answers:
        answer |= {"service_slug": service.slug, "warnings": []}
    return AsciiJSON(answer, status_code=status)


# Endpoints are plain coroutines without a pause inside the deployment's lock.
async def create_service(call: Incoming, deployment: Current) -> Response:
    return changed(deployment, deployment.create(call), deployment.choices.create_status)


async def update_service(call: Incoming, deployment: Current) -> Response:
    return changed(deployment, deployment.update(call), deployment.choices.update_status)


async def read_service(slug: str, call: Incoming, deployment: Current) -> Response:
    return AsciiJSON(deployment.read(call, slug))


async def set_status(service_id: str, status: str, deployment: Current) -> Response:
    service = deployment.set_status(service_id, status)
    return AsciiJSON({"id": deployment.show_id(service), "service_status": service.status})


async def create_options() -> Response:
    return AsciiJSON({"allow": ["OPTIONS", "POST"]}, headers={"Allow": "OPTIONS, POST"})


async def update_options() -> Response:
    return AsciiJSON({"allow": ["OPTIONS", "PUT"]}, headers={"Allow": "OPTIONS, PUT"})


def _add_routes(app: FastAPI, choices: Choices) -> None:
    collection, member = "/api/v1/containers", "/api/v1/containers/{service_id}"
    app.add_api_route(collection, create_service, methods=["POST"])
    app.add_api_route(member, update_service, methods=["PUT"])
    if choices.options_answered:
        app.add_api_route(collection, create_options, methods=["OPTIONS"])
        app.add_api_route(member, update_options, methods=["OPTIONS"])
    if choices.readback:
        app.add_api_route("/api/v1/r/containers/{slug}", read_service, methods=["GET"])
    app.add_api_route("/ops/services/{service_id}/status/{status}", set_status, methods=["POST"])


def create_app(choices: Choices = DEFAULT, callers: Callers = None) -> FastAPI:
    """A deployment of its own, with nothing stored.

    ``callers`` is a file, callers by token, or None for the file in DEPLOYMENT_CALLERS or the repository's.
    """
    if callers is None:
        callers = os.environ.get(CALLERS_VARIABLE) or DEFAULT_CALLERS
    known = callers if isinstance(callers, Mapping) else load_callers(callers)
    app = FastAPI(
        title="Container services", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.state.deployment = Deployment(choices, known)

    @app.exception_handler(Refusal)
    async def refused(_: Request, refusal: Refusal) -> Response:
        return error_answer(choices, refusal.status, refusal.reasons, {})

    @app.exception_handler(HTTPException)
    async def not_routed(_: Request, error: HTTPException) -> Response:
        return error_answer(choices, error.status_code, [str(error.detail)], error.headers or {})

    _add_routes(app, choices)
    return app


@functools.cache
def _background_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="deployment-loop", daemon=True).start()
    return loop


def create_wsgi_app(choices: Choices = DEFAULT, callers: Callers = None) -> WsgiApp:
    """The same deployment as a WSGI application, so that it can be called in process."""
    app: Any = create_app(choices, callers)
    inner = ASGIMiddleware(app, loop=_background_loop())

    def application(environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode(errors="replace")
        tidy: Any = {**environ, "PATH_INFO": path.encode().decode("latin-1"), "QUERY_STRING": ""}
        if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):  # a body in chunks
            body = environ["wsgi.input"].read()  # the adapter reads no more than CONTENT_LENGTH says
            tidy |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return list(inner(tidy, start_response))  # read to its end, or its task would wait forever

    return application
