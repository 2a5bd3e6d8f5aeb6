"""The mock as a WSGI app: routes made from the contract's operations, answers made into responses."""

import functools
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import uuid_utils
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.http import HTTP_STATUS_CODES

from mock_server.admin import api as control_plane
from mock_server.admin import pages
from mock_server.admin.scenario_api import Demand
from mock_server.app.lean import LeanFlask
from mock_server.contract import loader, resources
from mock_server.contract.loader import Contract, Operation, Rule
from mock_server.faults.injector import Trouble
from mock_server.faults.random_faults import Chance
from mock_server.faults.script import Script
from mock_server.pipeline.mock import IN_CODE, Handled, Mock
from mock_server.services import memory as stores
from mock_server.services.lifecycle import Clock
from mock_server.services.memory import MEMORY, Store, UnreachableStoreError
from mock_server.validation import callers as directory
from mock_server.validation.body import BodyReader, Call
from mock_server.validation.callers import Directory
from mock_server.web import responses
from mock_server.web.journal import Journal
from mock_server.web.middleware import (
    DRAINED,
    OUTCOME,
    RECEIVED,
    Environ,
    Front,
    Outcome,
    StartResponse,
    answer_headers,
)
from mock_server.web.redaction import Tokens
from mock_server.web.responses import Answer

PREFIX = "/api/v1"
MAX_BODY = 1024 * 1024
#: They have no body, whatever the answer says.
_BODILESS = frozenset({*range(100, 200), 204, 304})

Spec = Path | str | Mapping[str, Any] | Contract | None
Callers = Path | str | Mapping[str, Any] | Directory | None


def create_app(
    spec: Spec = None,
    callers: Callers = None,
    *,
    clock: Callable[[], datetime] | None = None,
    new_id: Callable[[], str] | None = None,
    without: frozenset[str] | set[str] = frozenset(),
    any_token: bool = False,
    max_body: int = MAX_BODY,
    control: bool = True,
    cors: bool = False,
    log: Callable[[str], object] | None = None,
    store: Store | str = MEMORY,
    latency: str = "",
    fault_rate: float = 0,
    seed: int | None = None,
    deploy_seconds: float = 0,
    workers: int = 1,
    sleep: Callable[[float], object] = time.sleep,
) -> Flask:
    """A WSGI app that serves the contract and remembers nothing outside itself.

    `spec` is the path of an openapi.yaml, its loaded content, or a Contract; `callers` likewise a callers
    file. `without` switches rules off by id. `log` takes one line per request. `store` is a Store, or what
    --store takes: `memory`, `sqlite:///file.db`, `postgresql://…`.
    `latency` (`50-200ms`) and `fault_rate` draw from `seed`; a deploy or a stop takes `deploy_seconds`.
    Where several `workers` serve, each has an app, and what only one of them would know is refused.
    `sleep` is called for an answer that is to come late, with the seconds.
    """
    known = _directory(callers, any_token)
    tokens = Tokens(known.callers)
    parts = Parts(
        known,
        tokens,
        stores.opened(store) if isinstance(store, str) else store,
        Clock(clock or (lambda: datetime.now(UTC))),
        new_id or (lambda: str(uuid_utils.uuid7())),
        Script(),
        Chance(latency, fault_rate, seed),
        Journal(tokens),
        max_body,
        control,
        cors,
        log,
        deploy_seconds,
        workers,
        sleep,
    )
    return served(parts, _contract(spec, frozenset(without)))


@dataclass(frozen=True, slots=True)
class Parts:
    """What a mock is made of beside its contract; all that it remembers is in here."""

    directory: Directory
    tokens: Tokens
    store: Store
    clock: Clock
    new_id: Callable[[], str]
    script: Script
    chance: Chance
    journal: Journal
    max_body: int
    control: bool
    cors: bool
    log: Callable[[str], object] | None
    deploy_seconds: float
    workers: int
    sleep: Callable[[float], object]


def served(parts: Parts, rules: Contract) -> Flask:
    """An app that serves the contract with these parts; one after another may do so with the same."""
    reader = BodyReader(rules, parts.max_body)
    mock = Mock(rules, parts.directory, parts.tokens, parts.store, reader, parts.clock, parts.new_id)
    trouble = Trouble(mock, parts.chance, parts.script, control=parts.control, sleep=parts.sleep)
    app = LeanFlask("mock_server", static_folder=None, template_folder=None)
    app.extensions["mock_server"] = (parts, rules)
    app.url_map.merge_slashes = False
    operations = (*rules.operations, *_readback().operations)
    direct = [_routed(app, trouble, operation) for operation in operations]
    if parts.control:
        demand = Demand(mock, parts.script, parts.clock, parts.deploy_seconds, operations, parts.workers)
        control_plane.register(app, mock, parts.journal, respond, demand)
        shown = (rules, _readback())
        pages.register(app, parts.journal, shown, server=PREFIX, mock=mock, workers=parts.workers)
    for add in direct:
        add()
    app.register_error_handler(HTTPException, _http_problem(rules, parts.tokens))
    app.register_error_handler(UnreachableStoreError, lambda error: respond(_store_problem(error)))
    kept = DRAINED if "body-size" in rules.off else parts.max_body
    front = Front(app.wsgi_app, parts.journal, parts.tokens, kept, parts.cors, parts.log)
    app.wsgi_app = front  # type: ignore[method-assign]
    return app


def remade(app: Flask, spec: Path) -> Flask:
    """The same mock with the contract that is at `spec` now: services, requests, script and clock stay.

    UnusableFileError says why the contract cannot be used.
    """
    parts, rules = app.extensions["mock_server"]
    return served(parts, loader.load(spec, rules.off, frozenset(IN_CODE)))


def _contract(spec: Spec, off: frozenset[str]) -> Contract:
    if isinstance(spec, Contract):
        return spec
    if isinstance(spec, Mapping):
        return loader.built(dict(spec), _packaged_rules(), loader.checked_off(off, _packaged_rules()))
    return loader.load(Path(spec), off, frozenset(IN_CODE)) if spec else _packaged_contract(off)


def _directory(callers: Callers, any_token: bool) -> Directory:
    if isinstance(callers, Directory):
        return callers
    if callers is None:
        return replace(_packaged_callers(), any_token=any_token)
    return directory.load(Path(callers) if isinstance(callers, str) else callers, any_token=any_token)


# What is packaged never changes while the process lives, and is only read: it is loaded once.


@functools.cache
def _packaged_contract(off: frozenset[str]) -> Contract:
    """Its names meet: a test sees to that."""
    return loader.load(resources.find("spec/openapi.yaml"), off)


@functools.cache
def _packaged_rules() -> Mapping[str, Rule]:
    return MappingProxyType(loader.catalogue(resources.find("spec/rules.yaml")))


@functools.cache
def _packaged_callers() -> Directory:
    return directory.load()


@functools.cache
def _readback() -> Contract:
    document = resources.read(resources.find("spec/readback.yaml"))
    return loader.built(document if isinstance(document, dict) else {}, {})


def _routed(app: LeanFlask, trouble: Trouble, operation: Operation) -> Callable[[], None]:
    """Adds the route of an operation; what is returned lets it be answered directly, once all routes are there."""
    names = re.findall(r"\{([^}]+)\}", operation.path)
    parts = re.split(r"\{[^}]+\}", PREFIX + operation.path)
    rule = parts[0] + "".join(f"<p{number}>{part}" for number, part in enumerate(parts[1:]))

    def answered(environ: Environ, values: Iterable[str]) -> Answer:
        got = environ[RECEIVED]
        given = dict(zip(names, values, strict=True))
        call = Call(got.headers, got.raw, got.size, given)
        try:
            handled = trouble.handle(operation, call, environ)
        except UnreachableStoreError as error:
            handled = Handled(_store_problem(error))
        environ[OUTCOME] = Outcome(handled.answer, operation.id, handled.caller)
        return handled.answer

    def view(**values: str) -> Response:
        return response(answered(request.environ, values.values()))

    def direct(environ: Environ, start_response: StartResponse, values: tuple[str, ...]) -> Iterable[bytes]:
        return sent(answered(environ, values), environ, start_response)

    path = re.compile("([^/]+)".join(map(re.escape, parts)))
    app.add_url_rule(rule, operation.id, view, methods=[operation.method], provide_automatic_options=False)
    return functools.partial(app.direct, operation.method, path, operation.id, direct)


def respond(given: Answer, operation: str = "", caller: str = "") -> Response:
    """The answer as a response; how it came about is left for the journal and the log."""
    request.environ[OUTCOME] = Outcome(given, operation, caller)
    return response(given)


def sent(given: Answer, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Sends an answer as Flask does, but for looking through what most of them do not have."""
    if given.headers or given.status in _BODILESS or environ["REQUEST_METHOD"] == "HEAD":
        return response(given)(environ, start_response)
    start_response(_status(given.status), answer_headers(given))
    return [given.body]


def response(given: Answer) -> Response:
    """The answer as Flask sends it."""
    status = given.status or 503  # nothing of what has no status is ever sent
    return Response(given.body, status, {"Content-Type": given.media_type, **given.headers})


@functools.lru_cache(100)
def _status(status: int) -> str:
    return f"{status} {HTTP_STATUS_CODES.get(status, 'Unknown').upper()}"


def _store_problem(error: UnreachableStoreError) -> Answer:
    """What a database that fails is answered as: not the sender's fault, and nothing is stored."""
    logging.getLogger(__name__).error("the store failed: %s", error)
    return responses.problem(503, "the store of the mock cannot be reached, nothing is stored; try again")


def _http_problem(rules: Contract, tokens: Tokens) -> Callable[[HTTPException], Response]:
    """What the framework refuses, in the form of every other refusal."""
    there = ", ".join(f"{o.method} {PREFIX}{o.path}" for o in (*rules.operations, *_readback().operations))

    def handler(error: HTTPException) -> Response:
        status = error.code or 500
        headers: dict[str, str] = {}
        path = tokens.hidden(request.path, request.headers.get("Authorization"))
        detail = f"{request.method} {path}: {error.description}"
        if isinstance(error, MethodNotAllowed):
            headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
            detail = f"{path}: seen {request.method}, wanted {headers['Allow']}"
        elif status == 404:
            detail = f"{path}: no such path; there is {there}"
        return respond(responses.problem(status, detail, headers=headers))

    return handler
