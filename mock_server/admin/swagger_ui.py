"""The API reference: the OpenAPI document for the browser, and the files of Swagger UI."""

import functools
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mock_server.contract import document
from mock_server.contract.model import Contract

_STATIC = Path(__file__).resolve().parent / "static"
_PAGE_FILES = ("page.css", "page.js", "reference.css", "reference.js")
_SWAGGER_FILES = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")


def openapi_document(contracts: Sequence[Contract], server: str) -> str:
    """Return the first document with the paths of all; the reference sends its requests to `server`."""
    first, *others = (contract.document for contract in contracts)
    paths: dict[str, Any] = {}
    for other in others:
        paths |= document.inline_references(other).get("paths") or {}
    whole = {**first, "servers": [{"url": server}], "paths": {**paths, **(first.get("paths") or {})}}
    # Swagger UI warns of other dialects than its own, which treats these keywords alike.
    whole.pop("jsonSchemaDialect", None)
    return json.dumps(whole, default=str, skipkeys=True)


def bearer_scheme(contract: Contract) -> str:
    """Return the name of the security scheme for bearer tokens, or an empty text."""
    schemes = (contract.document.get("components") or {}).get("securitySchemes") or {}
    return next((str(name) for name, scheme in schemes.items() if _is_bearer(scheme)), "")


def _is_bearer(scheme: Any) -> bool:
    return isinstance(scheme, dict) and str(scheme.get("scheme")).lower() == "bearer"


@functools.cache
def read_file(name: str) -> bytes | None:
    """Return a static file of the pages, or None for an unknown name."""
    if name not in (*_PAGE_FILES, *_SWAGGER_FILES):
        return None
    return ((_STATIC if name in _PAGE_FILES else _swagger_folder()) / name).read_bytes()


def _swagger_folder() -> Path:
    """Return the folder of Swagger UI. Its package is not imported, since its own page has inline scripts."""
    package = importlib.util.find_spec("flask_swagger_ui")
    folders = package.submodule_search_locations if package else None
    return Path(next(iter(folders or ()), "flask_swagger_ui")) / "dist"
