"""A mock of the Cyberun container-services API: it enforces every rule of the contract and says why."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mock_server.app.factory import create_app

__version__ = "0.1.0"
__all__ = ["__version__", "create_app"]


def __getattr__(name: str) -> object:
    """`mock_server.create_app` imports Flask only where it is asked for."""
    if name == "create_app":
        from mock_server.app.factory import create_app

        return create_app
    raise AttributeError(f"module 'mock_server' has no attribute {name!r}")
