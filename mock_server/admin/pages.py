"""The HTML pages under `/_mock/`: requests, services, scripted faults, and the API reference."""

from collections.abc import Sequence

from flask import Flask

from mock_server.admin.reference_pages import ReferencePages
from mock_server.admin.renderer import TEMPLATES, PageRenderer, PageRoute
from mock_server.admin.request_pages import RequestPages
from mock_server.admin.scenario_api import ScenarioApi
from mock_server.admin.script_pages import ScriptPages
from mock_server.admin.service_pages import ServicePages
from mock_server.contract.model import Contract
from mock_server.pipeline.mock import Mock
from mock_server.web.journal import Journal
from mock_server.web.middleware import CONTROL_PREFIX


def register_pages(
    app: Flask,
    journal: Journal,
    contracts: Sequence[Contract],
    *,
    title: str = "mock",
    mock: Mock | None = None,
    scenarios: ScenarioApi | None = None,
    workers: int = 1,
) -> None:
    """Add the pages to an app behind a RequestMiddleware.

    The reference shows the operations of all `contracts`. `title` names the server and must hold no password.
    Without a `mock`, services and callers are not shown; without `scenarios`, no scripted faults. With several
    `workers`, the page says that the journal is that of one process.
    """
    app.template_folder = str(TEMPLATES)
    renderer = PageRenderer(contracts[0], title, workers, mocked=mock is not None)
    routes: list[PageRoute] = [
        *RequestPages(renderer, journal, contracts, mock).routes(),
        *ReferencePages(renderer, contracts, mock).routes(),
        ("GET", "page/<name>", renderer.static_file),
    ]
    if mock is not None:
        routes += ServicePages(renderer, journal, mock).routes()
    if mock is not None and scenarios is not None:
        routes += ScriptPages(renderer, scenarios, mock.redactor).routes()
    for method, path, view in routes:
        app.add_url_rule(
            CONTROL_PREFIX + path,
            f"{method} {path}",
            view,
            methods=[method],
            provide_automatic_options=False,
        )
