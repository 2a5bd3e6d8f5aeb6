"""The target that a name stands for: a base URL, or a WSGI app in this process."""

import importlib

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
        raise TargetError(
            f"{name}: {reason}; give wsgi:module:factory, a callable that returns a WSGI app"
        ) from None
    from contract_tests.targets.wsgi import WsgiTarget  # loads Werkzeug, which a run over HTTP never needs

    return WsgiTarget(app)
