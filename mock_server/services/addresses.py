"""The address of a store, as `--store` has it: opens the store, and hides the password."""

import re

from mock_server.services.memory import MemoryStore
from mock_server.services.model import MEMORY, Store, UnusableStoreError

_HOST = re.compile(r"(?:\[[^]]*\]|[^:]*)(?::[0-9]*)?")
_SCHEMES = ("sqlite", "postgresql", "postgres", "postgresql+psycopg")


def open_store(address: str) -> Store:
    """Return the store at `memory`, `sqlite:///file.db` or `postgresql://…`; raise UnusableStoreError otherwise.

    The message has the address as it was given, without its password and its query.
    """
    if address == MEMORY:
        return MemoryStore()
    try:
        return _open_database(address)
    except UnusableStoreError as error:
        raise UnusableStoreError(f"--store {hide_password(address)}: {error}") from error


def _open_database(address: str) -> Store:
    scheme = address.partition(":")[0]
    if ":" not in address or scheme not in _SCHEMES:
        raise UnusableStoreError(
            "unknown store; expected memory, sqlite:///file.db or postgresql://user@host/database"
        )
    try:
        from mock_server.services import sql  # SQLAlchemy is an extra

        return sql.open_sql_store(address)
    except ImportError as error:
        how = "pip install 'cyberun-contract-kit[sql]' (from a checkout: -e '.[sql]')"
        raise UnusableStoreError(f"{error.name or 'psycopg'} is not installed; {how}") from error


def hide_password(address: str) -> str:
    """Return an address as it was given, with `***` for its password, and without its query, which may hold one.

    Everything up to the last `@` counts as user and password, since a password may have any character unescaped.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return scheme.partition(":")[0]
    user_info, at, place = rest.rpartition("@")
    user, colon, _ = user_info.partition(":")
    host, slash, path = place.partition("?")[0].partition("/")
    if not _HOST.fullmatch(host):  # a password in place of the port
        host = f"{host.partition(':')[0]}:***"
    return f"{scheme}://{user}{':***' if colon else ''}{at}{host}{slash}{path}"
