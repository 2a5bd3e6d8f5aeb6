"""`/_mock/`: the page to look at. The requests received, live; the services; the contract, with try-it."""

from collections.abc import Sequence

from flask import Flask

from mock_server.contract import Contract
from mock_server.journal import Journal
from mock_server.mock import Mock


def register(
    app: Flask,
    journal: Journal,
    contracts: Sequence[Contract],
    *,
    server: str,
    title: str = "mock",
    mock: Mock | None = None,
    workers: int = 1,
) -> None:
    """Adds the page to an app that stands behind `wire.Front`.

    The reference shows the documents of `contracts` as one, with `server` (such as `/api/v1`) as the place that
    its try-it calls. `title` says what answers, as in `proxy of https://host/api/v1`: it is shown as it stands, so
    no password in it. Without a `mock` there are no services and no callers to show. The journal is that of one
    of `workers` processes, and the page says so where there are several.
    """
