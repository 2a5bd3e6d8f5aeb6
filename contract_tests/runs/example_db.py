"""Shared example database: cases that showed a deviation, which other runs repeat first."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from platformdirs import user_cache_path

from contract_tests.cases.model import Case, case_from_json, case_to_json
from contract_tests.contract.files.file_shapes import check_shape
from contract_tests.contract.files.json_text import parse_json

_PREFIX = b"cyberun-contract-kit:"
_KEEP_FOR = timedelta(days=8)  # longer than a week, for weekly runs
_RANDOM_LAYERS = (
    "lifecycle",
    "properties",
)  # every run has the cases of the other layers


class Database(Protocol):
    """The methods of ``hypothesis.database.ExampleDatabase`` that the archive uses."""

    def fetch(self, key: bytes) -> Any:
        """Return the values of a key."""
        ...

    def save(self, key: bytes, value: bytes) -> None:
        """Add a value to a key."""
        ...

    def delete(self, key: bytes, value: bytes) -> None:
        """Delete a value from a key."""
        ...


class ExampleArchive:
    """Known deviations of one target from one contract; a run continues without a database that fails."""

    def __init__(self, database: Database, target: str, contract: str) -> None:
        """Open the archive of a target; ``contract`` is a digest, since a case is valid for its contract only."""
        self._database = database
        self._key = hashlib.sha256(f"{contract} {target}".encode()).digest()
        self._known: set[bytes] = set()
        self.problem = ""

    def iter_pending(self) -> Iterator[Case]:
        """Yield the cases that this run has neither saved nor received yet, in a stable order."""
        for value in sorted(self._try_database(lambda: list(self._database.fetch(self._key))) or ()):
            if value not in self._known:
                self._known.add(value)
                try:
                    yield _decode_case(value)
                except ValueError:
                    continue  # written by another program

    def save_case(self, case: Case) -> None:
        """Add a case that showed a deviation."""
        if case.layer in _RANDOM_LAYERS or case.is_generated:
            self._known.add(value := _encode_case(case))
            self._try_database(lambda: self._database.save(self._key, value))

    def delete_case(self, case: Case) -> None:
        """Delete a case that passes now."""
        self._try_database(lambda: self._database.delete(self._key, _encode_case(case)))

    def _try_database(self, act: Callable[[], Any]) -> Any:
        if self.problem:
            return None
        try:
            return act()
        except Exception as error:  # each kind of database raises its own errors
            self.problem = f"the example database failed ({type(error).__name__}), and was not used any more"
            return None


def open_archive(address: str, target: str, contract: str) -> ExampleArchive:
    """Return the archive in a folder, or in a Redis at ``redis://…`` combined with a folder of this user.

    Raise ValueError for an unusable address, without the password in it.
    """
    from hypothesis.database import DirectoryBasedExampleDatabase, MultiplexedDatabase

    if "://" not in address and Path(address).exists() and not Path(address).is_dir():
        raise ValueError(f"--example-db {address}: not a folder; give redis://host:6379/0 or a folder")
    if "://" not in address:
        return ExampleArchive(DirectoryBasedExampleDatabase(Path(address)), target, contract)
    if not address.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("--example-db: give redis://host:6379/0 or a folder")
    local = DirectoryBasedExampleDatabase(user_cache_path("cyberun-contract-kit") / "examples")
    return ExampleArchive(MultiplexedDatabase(local, _open_redis(address)), target, contract)


def _open_redis(address: str) -> Any:
    try:
        from hypothesis.extra.redis import RedisExampleDatabase
        from redis import Redis
    except ImportError:
        how = "pip install 'cyberun-contract-kit[redis]' (from a checkout: -e '.[redis]')"
        raise ValueError(f"--example-db redis://…: redis is not installed; {how}") from None
    try:
        client = Redis.from_url(address, socket_timeout=5, socket_connect_timeout=5)
        client.ping()
    except Exception as error:  # the client's errors, and ValueError for a malformed address
        raise ValueError(f"--example-db: no Redis responds there ({type(error).__name__})") from None
    return RedisExampleDatabase(client, expire_after=_KEEP_FOR, key_prefix=_PREFIX)


def _decode_case(value: bytes) -> Case:
    """Return the case of a value; raise ValueError for one that is none."""
    document = parse_json(value)
    check_shape({"case": document}, "finding", Path("--example-db"))
    return case_from_json(document)


def _encode_case(case: Case) -> bytes:
    return json.dumps(case_to_json(case), sort_keys=True).encode()
