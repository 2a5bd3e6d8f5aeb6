"""Cases that showed a deviation, in a Hypothesis example database: other runs, wherever, play them first."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from platformdirs import user_cache_path

from contract_tests.cases.model import Case, from_data, to_data

_PREFIX = b"cyberun-contract-kit:"
_KEPT = timedelta(days=8)  # so that a weekly run still finds them
_LAYERS = ("lifecycle", "properties")  # what is random; the cases of the others are played by every run


class Database(Protocol):
    """The part of ``hypothesis.database.ExampleDatabase`` that is used."""

    def fetch(self, key: bytes) -> Any:
        """Return the values of a key."""
        ...

    def save(self, key: bytes, value: bytes) -> None:
        """Add a value to a key."""
        ...

    def delete(self, key: bytes, value: bytes) -> None:
        """Take a value from a key."""
        ...


class Archive:
    """The known deviations of one target from one contract. Where the database fails, a run goes on without it."""

    def __init__(self, database: Database, target: str, contract: str) -> None:
        """``contract`` is a digest of it: a case means something with its own contract only."""
        self._database = database
        self._key = hashlib.sha256(f"{contract} {target}".encode()).digest()
        self._met: set[bytes] = set()
        self.problem = ""

    def unmet(self) -> Iterator[Case]:
        """Yield the cases that this run has neither kept nor been given yet, in an order that is always the same."""
        for value in sorted(self._tried(lambda: list(self._database.fetch(self._key))) or ()):
            if value not in self._met:
                self._met.add(value)
                try:
                    yield from_data(json.loads(value))
                except ValueError:
                    continue  # what somebody else put there

    def keep(self, case: Case) -> None:
        """Add a case that showed a deviation."""
        if case.layer in _LAYERS or case.is_generated:
            self._met.add(value := _value(case))
            self._tried(lambda: self._database.save(self._key, value))

    def forget(self, case: Case) -> None:
        """Take out a case that shows nothing any more."""
        self._tried(lambda: self._database.delete(self._key, _value(case)))

    def _tried(self, act: Callable[[], Any]) -> Any:
        if self.problem:
            return None
        try:
            return act()
        except Exception as error:  # of whatever database it is; findings are in the report all the same
            self.problem = (
                f"the example database failed ({type(error).__name__}), and was not used after that"
            )
            return None


def open_archive(address: str, target: str, contract: str) -> Archive:
    """Return the archive in a folder, or in the Redis of ``redis://…`` with a folder of this user's beside it.

    ValueError says what is wrong with the address; no password of it is repeated.
    """
    from hypothesis.database import DirectoryBasedExampleDatabase, MultiplexedDatabase

    if "://" not in address and Path(address).exists() and not Path(address).is_dir():
        raise ValueError(f"--example-db {address}: not a folder; give redis://host:6379/0 or a folder")
    if "://" not in address:
        return Archive(DirectoryBasedExampleDatabase(Path(address)), target, contract)
    if not address.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("--example-db: give redis://host:6379/0 or a folder")
    local = DirectoryBasedExampleDatabase(user_cache_path("cyberun-contract-kit") / "examples")
    return Archive(MultiplexedDatabase(local, _redis(address)), target, contract)


def _redis(address: str) -> Any:
    try:
        from hypothesis.extra.redis import RedisExampleDatabase
        from redis import Redis
    except ImportError:
        how = "pip install 'cyberun-contract-kit[redis]' (from a checkout: -e '.[redis]')"
        raise ValueError(f"--example-db redis://…: redis is not installed; {how}") from None
    try:
        client = Redis.from_url(address, socket_timeout=5, socket_connect_timeout=5)
        client.ping()
    except Exception as error:  # the client's own errors, and ValueError for what is no address
        raise ValueError(f"--example-db: no Redis answers there ({type(error).__name__})") from None
    return RedisExampleDatabase(client, expire_after=_KEPT, key_prefix=_PREFIX)


def _value(case: Case) -> bytes:
    return json.dumps(to_data(case), sort_keys=True).encode()
