"""Stored services: the value, the store protocol, its stores, and the lifecycle. May import contract."""

from mock_server.services.memory import MemoryStore
from mock_server.services.model import MEMORY, Store, UnusableStoreError

_SCHEMES = ("sqlite", "postgresql", "postgres", "postgresql+psycopg")


def open_store(address: str) -> Store:
    """Return the store at `memory`, `sqlite:///file.db` or `postgresql://…`; raise UnusableStoreError otherwise."""
    if address == MEMORY:
        return MemoryStore()
    scheme = address.partition(":")[0]
    if ":" not in address or scheme not in _SCHEMES:
        expected = "memory, sqlite:///file.db or postgresql://user@host/database"
        raise UnusableStoreError(f"--store {scheme}: unknown store; expected {expected}")
    try:
        from mock_server.services import sql  # SQLAlchemy is an extra

        return sql.open_sql_store(address)
    except ImportError as error:
        how = "pip install 'cyberun-contract-kit[sql]' (from a checkout: -e '.[sql]')"
        missing = f"{error.name or scheme} is not installed; {how}"
        raise UnusableStoreError(f"--store {scheme}: {missing}") from error
