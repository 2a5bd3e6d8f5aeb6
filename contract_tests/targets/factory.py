"""The target that a name stands for: a base URL, or a WSGI app in this process."""

import importlib
from pathlib import Path

from contract_tests.targets.base import Target, TargetError
from contract_tests.targets.http import HttpTarget


def open_target(name: str, *, timeout: float = 10.0, connections: int = 12) -> Target:
    """Return the target of a base URL or of ``wsgi:module:factory``; raise TargetError if it cannot be used."""
    if not name.startswith("wsgi:"):
        return HttpTarget(name, timeout=timeout, connections=connections)
    _, _, place = name.partition(":")
    module, _, attribute = place.partition(":")
    try:
        app = getattr(importlib.import_module(module), attribute)()
    except (Exception, SystemExit) as error:  # the user's module may raise anything while it is imported
        reason = f"{type(error).__name__}: {error}"
        hint = explain_import(error) or "give wsgi:module:factory, a callable that returns a WSGI app"
        raise TargetError(f"{name}: {reason}; {hint}") from None
    from contract_tests.targets.wsgi import WsgiTarget  # loads Werkzeug, which a run over HTTP never needs

    return WsgiTarget(app)


def explain_import(error: BaseException) -> str:
    """Return how to import a module of the working folder that was not found, an empty string for another error."""
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if not package or not (Path(f"{package}.py").is_file() or Path(package).is_dir()):
        return ""
    return "set PYTHONPATH=. to import modules of this folder"
