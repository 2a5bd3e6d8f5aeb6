"""Everything a run needs, put together: the one place that knows where each part comes from."""

from collections.abc import Iterable
from pathlib import Path

from contract_tests.cases.callers import Caller, cast, load_callers
from contract_tests.cases.tables import bodies
from contract_tests.cases.value_templates import Slugs
from contract_tests.contract.resources import data_file
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import Spec, load_spec
from contract_tests.execution.created_log import Ledger
from contract_tests.execution.executor import Player
from contract_tests.targets.base import Target
from contract_tests.targets.control_hook import Hook
from contract_tests.targets.exchange import Redactor


def open_player(
    target: Target,
    callers: Iterable[Caller] | None = None,
    *,
    spec: Path | None = None,
    control_hook: str | None = None,
    ledger: Ledger | None = None,
    slug_prefix: str = "ck-",
    max_created: int | None = None,
    refuse_only: bool = False,
    parsed: Spec | None = None,
) -> Player:
    """Return a player for a target; the callers are those of the fixtures unless others are given.

    ``spec`` is another contract, with its ``rules.yaml`` beside it; ``parsed`` is the same, already read.
    ValueError says what cannot be used.
    """
    everyone = tuple(callers) if callers is not None else load_callers(data_file("fixtures/callers.yaml"))
    rules = spec.parent / "rules.yaml" if spec else None
    return Player(
        target=target,
        cast=cast(everyone),
        spec=parsed or load_spec(spec),
        catalogue=load_catalogue(rules if rules and rules.is_file() else None),
        bodies=bodies(),
        ledger=ledger or Ledger(),
        slugs=Slugs(slug_prefix),
        redactor=Redactor(caller.token for caller in everyone),
        hook=Hook(control_hook, target) if control_hook else None,
        max_created=max_created,
        refuse_only=refuse_only,
    )
