"""What the reference is made of: one document for the browser, and Swagger UI from its package."""

import functools
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mock_server.contract import document
from mock_server.contract.model import Contract

_STATIC = Path(__file__).resolve().parent / "static"
_OWN_FILES = ("page.css", "page.js", "reference.css", "reference.js")
_SWAGGER_FILES = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")


def openapi_document(contracts: Sequence[Contract], server: str) -> str:
    """The first document as it was loaded, with the paths of the others; whoever tries it calls `server`."""
    first, *others = (contract.document for contract in contracts)
    paths: dict[str, Any] = {}
    for other in others:
        paths |= document.inline_references(other).get("paths") or {}
    whole = {**first, "servers": [{"url": server}], "paths": {**paths, **(first.get("paths") or {})}}
    whole.pop(
        "jsonSchemaDialect", None
    )  # Swagger UI warns of any but its own, which says the same of these keywords
    return json.dumps(whole, default=str, skipkeys=True)


def bearer_scheme(contract: Contract) -> str:
    """The name of the security scheme that takes a bearer token."""
    schemes = (contract.document.get("components") or {}).get("securitySchemes") or {}
    return next((str(name) for name, scheme in schemes.items() if _is_bearer(scheme)), "")


def _is_bearer(scheme: Any) -> bool:
    return isinstance(scheme, dict) and str(scheme.get("scheme")).lower() == "bearer"


@functools.cache
def read_file(name: str) -> bytes | None:
    """A style sheet, a script or a picture of the page; None where the page has none of that name."""
    if name not in (*_OWN_FILES, *_SWAGGER_FILES):
        return None
    return ((_STATIC if name in _OWN_FILES else _swagger_folder()) / name).read_bytes()


def _swagger_folder() -> Path:
    """The folder of Swagger UI; the package around it makes a page with inline script, and is not loaded."""
    found = importlib.util.find_spec("flask_swagger_ui")
    folders = found.submodule_search_locations if found else None
    return Path(next(iter(folders or ()), "flask_swagger_ui")) / "dist"
