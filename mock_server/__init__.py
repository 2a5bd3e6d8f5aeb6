"""A mock of the Cyberun container-services API: it enforces every rule of the contract and gives the reason."""

from typing import TYPE_CHECKING

from mock_server.contract import resources

if TYPE_CHECKING:
    from mock_server.app.factory import create_app
    from mock_server.app.options import MockOptions

__version__ = resources.VERSION
__all__ = ["MockOptions", "__version__", "create_app"]


def __getattr__(name: str) -> object:
    """Import Flask only when `create_app` or `MockOptions` is used."""
    if name == "create_app":
        from mock_server.app.factory import create_app

        return create_app
    if name == "MockOptions":
        from mock_server.app.options import MockOptions

        return MockOptions
    raise AttributeError(f"module 'mock_server' has no attribute {name!r}")
