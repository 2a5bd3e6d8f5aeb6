"""The mock as a Flask app: routes made from the operations of the contract."""

import functools
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import flask
import uuid_utils
from flask import Flask
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from mock_server.admin.api import list_control_paths, register_api
from mock_server.admin.pages import register_pages
from mock_server.admin.scenario_api import ScenarioApi
from mock_server.app.options import MockOptions
from mock_server.contract import loader, resources
from mock_server.contract.model import BASE_PATH, Contract, Operation, Rule
from mock_server.faults.injector import FaultInjector
from mock_server.faults.random_faults import RandomFaults
from mock_server.faults.refusals import Refusals
from mock_server.faults.script import Script
from mock_server.pipeline.mock import RULES_IN_CODE, Mock
from mock_server.pipeline.stages import Stages
from mock_server.services.addresses import open_store
from mock_server.services.lifecycle import Clock
from mock_server.services.model import Store, StoreError, UnreadableServiceError
from mock_server.validation.body import BodyReader
from mock_server.validation.callers import CallerDirectory, load_callers
from mock_server.validation.request import Request
from mock_server.web import responses
from mock_server.web.flask_responses import send_response
from mock_server.web.journal import MAX_ENTRIES, Journal
from mock_server.web.middleware import CONTROL_PREFIX, MAX_DRAIN_BYTES, RequestMiddleware
from mock_server.web.redaction import Redactor
from mock_server.web.responses import HandledResponse, Response
from mock_server.web.wsgi import RAW_REQUEST

#: The key of the app's configuration that holds how many bytes of a body are read.
MAX_BYTES = "MOCK_MAX_BYTES"
#: By option of the choice `id-version`.
_NEW_IDS: dict[str, Callable[[], str]] = {
    "4": lambda: str(uuid_utils.uuid4()),
    "7": lambda: str(uuid_utils.uuid7()),
}


@dataclass(frozen=True, slots=True)
class AppState:
    """The options of a mock, and everything that it remembers; `reload_app` keeps it."""

    options: MockOptions
    callers: CallerDirectory
    redactor: Redactor
    store: Store
    clock: Clock
    script: Script
    random_faults: RandomFaults
    journal: Journal


def create_app(options: MockOptions | None = None, **changes: Any) -> Flask:
    """Return a WSGI app that serves the contract; `changes` are fields of MockOptions.

    Apps share nothing. ValueError or UnusableFileError names an invalid option.
    """
    options = replace(options or MockOptions(), **changes)
    callers = _load_callers(options)
    redactor = Redactor(callers.callers)
    state = AppState(
        options,
        callers,
        redactor,
        open_store(options.store) if isinstance(options.store, str) else options.store,
        Clock(options.clock or (lambda: datetime.now(UTC))),
        Script(),
        RandomFaults(options.latency, options.fault_rate, options.seed),
        Journal(redactor, max_entries=MAX_ENTRIES if options.control else 0),
    )
    return build_app(state, _load_contract(options))


def build_app(state: AppState, contract: Contract) -> Flask:
    """Return an app that serves the contract with this state."""
    options = state.options
    new_id = options.new_id or _NEW_IDS[str(contract.options["id-version"])]
    max_body = options.max_body or int(contract.options["largest-body"])
    body_reader = BodyReader(contract, max_body)
    stages = Stages(contract, state.callers, state.store, body_reader, state.clock)
    mock = Mock(contract, stages, state.redactor, state.store, state.clock, new_id)
    app = Flask("mock_server", static_folder=None, template_folder=None)
    app.extensions["mock_server"] = (state, contract)
    app.url_map.merge_slashes = False
    operations = (*contract.operations, *_readback_contract().operations)
    _add_operations(app, state, mock, operations)
    if options.control:
        scenarios = ScenarioApi(
            mock, state.script, state.clock, options.deploy_seconds, operations, options.workers
        )
        register_api(app, mock, state.journal, scenarios)
        contracts = (contract, _readback_contract())
        register_pages(app, state.journal, contracts, mock=mock, scenarios=scenarios, workers=options.workers)
    app.register_error_handler(HTTPException, _http_error_handler(app, operations, state.redactor))
    app.register_error_handler(StoreError, lambda error: send_response(_store_error_response(error)))
    max_bytes = max_body if contract.rule_enabled("body-size") else MAX_DRAIN_BYTES
    app.config[MAX_BYTES] = max_bytes
    middleware = RequestMiddleware(
        app.wsgi_app,
        state.journal,
        state.redactor,
        max_bytes,
        options.cors,
        options.log,
        options.hosts,
        state.callers.find,
    )
    app.wsgi_app = middleware  # type: ignore[method-assign]
    return app


def reload_app(app: Flask, spec: Path) -> Flask:
    """Return the same mock with the contract that `spec` holds now: services, journal, script and clock stay.

    UnusableFileError says why the contract cannot be used.
    """
    state, contract = app.extensions["mock_server"]
    disabled, profile = contract.disabled_rules, _load_profile(state.options)
    return build_app(state, loader.load_contract(spec, disabled, frozenset(RULES_IN_CODE), profile))


def _load_contract(options: MockOptions) -> Contract:
    spec, disabled, profile = options.spec, frozenset(options.disabled_rules), _load_profile(options)
    if isinstance(spec, Contract):
        return spec
    if isinstance(spec, Mapping):
        rules = _packaged_rules()
        known = loader.check_rule_ids(disabled, rules)
        return loader.build_contract(dict(spec), rules, known, profile)
    if spec or profile is not None:
        path = Path(spec) if spec else resources.find_resource("spec/openapi.yaml")
        return loader.load_contract(path, disabled, frozenset(RULES_IN_CODE) if spec else None, profile)
    return _packaged_contract(disabled)


def _load_profile(options: MockOptions) -> Path | Mapping[str, Any] | None:
    return Path(options.profile) if isinstance(options.profile, str) else options.profile


def _load_callers(options: MockOptions) -> CallerDirectory:
    callers = options.callers
    if isinstance(callers, CallerDirectory):
        return callers
    if callers is None:
        return replace(_packaged_callers(), any_token=options.any_token)
    return load_callers(Path(callers) if isinstance(callers, str) else callers, any_token=options.any_token)


# The packaged files never change while the process lives, so each is loaded once.


@functools.cache
def _packaged_contract(disabled: frozenset[str]) -> Contract:
    """Return the packaged contract; a test checks its rule names."""
    return loader.load_contract(resources.find_resource("spec/openapi.yaml"), disabled)


@functools.cache
def _packaged_rules() -> Mapping[str, Rule]:
    return MappingProxyType(loader.load_rules(resources.find_resource("spec/rules.yaml")))


@functools.cache
def _packaged_callers() -> CallerDirectory:
    return load_callers()


@functools.cache
def _readback_contract() -> Contract:
    document = resources.read_yaml(resources.find_resource("spec/readback.yaml"))
    return loader.build_contract(document if isinstance(document, dict) else {}, {})


def _add_operations(app: Flask, state: AppState, mock: Mock, operations: tuple[Operation, ...]) -> None:
    preferable = frozenset(o.id for o in mock.contract.operations) if state.options.control else frozenset()
    injector = FaultInjector(
        mock.handle,
        state.callers,
        state.store,
        state.random_faults,
        state.script,
        preferable,
        Refusals(mock.contract, mock.stages.body_reader.max_bytes),
        mock.contract.rules,
    )
    for operation in operations:
        _add_route(app, injector, operation)


def _add_route(app: Flask, injector: FaultInjector, operation: Operation) -> None:
    """Add the route of an operation; its path parameters have numbers, since Flask takes fewer names."""
    names = re.findall(r"\{([^}]+)\}", operation.path)
    parts = re.split(r"\{[^}]+\}", BASE_PATH + operation.path)
    rule = parts[0] + "".join(f"<p{number}>{part}" for number, part in enumerate(parts[1:]))

    def view(**values: str) -> flask.Response:
        environ = flask.request.environ
        raw = environ[RAW_REQUEST]
        path_values = dict(zip(names, values.values(), strict=True))
        request = Request(raw.headers, raw.body, raw.body_size, path_values)
        try:
            handled = injector.handle(operation, request, environ)
        except StoreError as error:
            handled = HandledResponse(_store_error_response(error))
        return send_response(handled.response, operation.id, handled.caller)

    app.add_url_rule(rule, operation.id, view, methods=[operation.method], provide_automatic_options=False)


def _store_error_response(error: StoreError) -> Response:
    """Return the response to a request whose transaction the database did not commit."""
    logging.getLogger(__name__).error("the store failed: %s", error)
    if isinstance(error, UnreadableServiceError):
        return responses.problem_response(
            500, "the stored service cannot be read; the log of the mock names it"
        )
    detail = "the store failed, and the request counts as not stored; the log of the mock says why; try again"
    return responses.problem_response(503, detail)


def _http_error_handler(
    app: Flask, operations: tuple[Operation, ...], redactor: Redactor
) -> Callable[[HTTPException], flask.Response]:
    """Return a handler that gives Flask's own refusals the form of every other refusal."""
    operation_paths = [f"{o.method} {BASE_PATH}{o.path}" for o in operations]
    control_paths = list_control_paths(app)
    has_page = bool(control_paths)
    control_paths = control_paths or ["none, since the control plane is off (--no-control)"]

    def handler(error: HTTPException) -> flask.Response:
        request, status = flask.request, error.code or 500
        headers: dict[str, str] = {}
        path = redactor.redact(request.path, request.headers.get("Authorization"))
        detail = f"{request.method} {path}: {error.description}"
        if isinstance(error, MethodNotAllowed):
            headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
            detail = f"{path}: got {request.method}, expected {headers['Allow']}"
        elif status == 404:
            available = control_paths if request.path.startswith(CONTROL_PREFIX) else operation_paths
            page = f"; the page of the mock is {CONTROL_PREFIX}" if has_page else ""
            detail = f"{path}: unknown path; available: {', '.join(available)}{page}"
        return send_response(responses.problem_response(status, detail, headers=headers))

    return handler
