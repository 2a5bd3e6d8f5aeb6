"""The target that a name stands for: a base URL, or a WSGI app in this process."""

import importlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contract_tests.targets.base import Target, TargetError, tell_error
from contract_tests.targets.http import HttpTarget


def open_target(name: str, *, timeout: float = 10.0, connections: int = 12) -> Target:
    """Return the target of a base URL or of ``wsgi:module:factory``; raise TargetError if it cannot be used.

    In place of a factory, the name may be that of a WSGI app.
    """
    if not name.startswith("wsgi:"):
        return HttpTarget(name, timeout=timeout, connections=connections)
    with report_foreign_errors(name, "give wsgi:module:factory, a callable that returns a WSGI app"):
        found = import_object(name.removeprefix("wsgi:"))
        app = found if _is_app(found) else found()
    from contract_tests.targets.wsgi import WsgiTarget  # loads Werkzeug, which a run over HTTP never needs

    return WsgiTarget(app, timeout=timeout, name=name)


def _is_app(found: Any) -> bool:
    """Return whether an object is called as a WSGI app, with an environ and a function, and not without arguments."""
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        return False
    return not _takes(signature) and _takes(signature, {}, print)


def _takes(signature: inspect.Signature, *arguments: Any) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def import_object(name: str) -> Any:
    """Return what ``module:attribute`` names; the import may raise anything."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


@contextmanager
def report_foreign_errors(name: str, advice: str = "") -> Iterator[None]:
    """Raise TargetError for whatever code of the user raises; it may also exit, or be cancelled."""
    try:
        yield
    except (KeyboardInterrupt, TargetError):
        raise
    except BaseException as error:
        reason = f"{name}: {type(error).__name__}: {tell_error(error, str)}"
        hint = _explain_import(error) or advice
        raise TargetError("; ".join(filter(None, (reason, hint)))) from None


def _explain_import(error: BaseException) -> str:
    """Return how to import a module of the working folder that was not found, an empty string for another error."""
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if not package or not (Path(f"{package}.py").is_file() or Path(package).is_dir()):
        return ""
    return "set PYTHONPATH=. to import modules of this folder"
