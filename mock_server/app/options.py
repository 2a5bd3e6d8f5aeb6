"""The options of the mock. A new one needs a field here, an option in `cli/main.py`, and the code that obeys it."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mock_server.contract.model import Contract
from mock_server.services.model import MEMORY, Store
from mock_server.validation.callers import CallerDirectory

#: The largest body that the proxy reads, and the mock without a profile.
MAX_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MockOptions:
    """The options of one mock.

    `spec` is the path of an OpenAPI document, its content, or a Contract; `callers` likewise a callers file.
    `disabled_rules` are ids of rules that are not enforced. `store` is a Store or an address: `memory`,
    `sqlite:///file.db`, `postgresql://…`. `profile` is the path or the content of a profile: how a deployment chose
    what the pages leave open. `max_body` is in bytes; None leaves it to the profile. `latency` (`50-200ms`) and
    `fault_rate` draw from `seed`; a deploy or a stop takes `deploy_seconds`. `workers` is the number of processes
    that serve the mock; with several, the options that need shared memory are refused. `hosts` are registered names
    under which the control plane may be reached. `log` takes one line per request.
    """

    spec: Path | str | Mapping[str, Any] | Contract | None = None
    callers: Path | str | Mapping[str, Any] | CallerDirectory | None = None
    disabled_rules: frozenset[str] | set[str] = frozenset()
    any_token: bool = False
    profile: Path | str | Mapping[str, Any] | None = None
    max_body: int | None = None
    control: bool = True
    cors: bool = False
    hosts: frozenset[str] = frozenset()
    latency: str = ""
    fault_rate: float = 0
    seed: int | None = None
    deploy_seconds: float = 0
    store: Store | str = MEMORY
    workers: int = 1
    clock: Callable[[], datetime] | None = None
    new_id: Callable[[], str] | None = None
    log: Callable[[str], object] | None = None

    def __post_init__(self) -> None:
        """Choose a seed where faults are random, so that it can be printed and used again."""
        if self.seed is None and (self.latency or self.fault_rate):
            object.__setattr__(self, "seed", secrets.randbelow(1_000_000))
