"""Interim responses: a client must read past any 1xx (RFC 9110, 15.2), and http.client knows 100 only."""

from http.client import HTTPResponse
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

_MAX_INTERIM = 20


class _FinalResponse(HTTPResponse):
    """A response that begins after all interim ones."""

    def begin(self) -> None:
        """Read status and headers, again for each interim response."""
        super().begin()
        for _ in range(_MAX_INTERIM):
            if not 101 < self.status < 200:
                return
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()


class _Connection(HTTPConnection):
    response_class = _FinalResponse


class _SecureConnection(HTTPSConnection):
    response_class = _FinalResponse


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def open_pool(**options: Any) -> urllib3.PoolManager:
    """Return a pool of connections that read past interim responses."""
    pool = urllib3.PoolManager(**options)
    pool.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return pool
