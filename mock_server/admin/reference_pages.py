"""The API reference, and the OpenAPI document for other tools."""

from collections.abc import Sequence
from typing import Any

import flask
from flask import request

from mock_server.admin import reference_view, service_view
from mock_server.admin.renderer import PAGE_HEADERS, PageRenderer, PageRoute
from mock_server.contract.model import BASE_PATH, Contract
from mock_server.pipeline.mock import Mock
from mock_server.web import responses


class ReferencePages:
    """The view of the operations of all `contracts`; with a `mock`, its forms are filled with what it knows."""

    def __init__(self, renderer: PageRenderer, contracts: Sequence[Contract], mock: Mock | None) -> None:
        self._renderer, self._contracts, self._mock = renderer, contracts, mock

    def routes(self) -> tuple[PageRoute, ...]:
        """Return the routes of this page."""
        return (("GET", "reference", self.reference), ("GET", "openapi.json", self.openapi))

    def reference(self) -> flask.Response:
        """Return the API reference. `?service=` names the stored service that the forms are about."""
        operations = [
            each for contract in self._contracts for each in reference_view.describe_operations(contract)
        ]
        info = self._contracts[0].document.get("info")
        return self._renderer.render(
            "reference.html",
            operations=operations,
            description=info.get("description") if isinstance(info, dict) else None,
            base_path=BASE_PATH,
            **self._form_values(),
        )

    def _form_values(self) -> dict[str, Any]:
        """Return the callers with public tokens, and the token, the id and the slug that the forms start with."""
        if self._mock is None:
            return {"callers": (), "teams": {}, "token": "", "stored": {}}
        callers = [caller for caller in service_view.list_callers(self._mock) if caller["token"]]
        service_id = request.args.get("service", "")
        service = service_view.find_service(self._mock, service_id.lower()) if service_id else None
        if service is None:
            newest, _ = service_view.list_services(self._mock, 1)
            service = newest[0] if newest else {}
        usual = (
            c["token"] for c in callers if c["kind"] == "sk" and c["teams"] == service.get("team", c["teams"])
        )
        return {
            "callers": callers,
            "teams": self._mock.stages.callers.teams,
            "token": next(usual, callers[0]["token"] if callers else ""),
            "stored": {"serviceId": service.get("shown_id"), "serviceSlug": service.get("slug")}
            if service
            else {},
        }

    def openapi(self) -> flask.Response:
        """Return the OpenAPI document of the reference."""
        text = reference_view.openapi_document(self._contracts, BASE_PATH)
        return flask.Response(text, headers=PAGE_HEADERS, mimetype=responses.JSON_TYPE)
