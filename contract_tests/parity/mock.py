"""The mock in this process, with the profile of a deployment and the callers of the run."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

from contract_tests.cases.callers import Caller
from contract_tests.mutation.session import import_factory
from contract_tests.targets.control_hook import ControlHook
from contract_tests.targets.wsgi import WsgiTarget

#: The packages share no code, so the mock is imported by its name.
_FACTORY = "wsgi:mock_server:create_app"
_HOOK = "/_mock/services/{id}/status/{status}"


def open_mock(callers: Iterable[Caller], profile: Path | None = None, spec: Path | None = None) -> WsgiTarget:
    """Return a new mock that knows the callers; ValueError says why the profile or the contract cannot be used."""
    factory = import_factory(_FACTORY)
    try:
        return WsgiTarget(factory(profile=profile, spec=spec, callers=describe_callers(callers)))
    except Exception as error:  # the mock's own errors are none of this package
        raise ValueError(str(error)) from None


def open_mock_hook(mock: WsgiTarget) -> ControlHook:
    """Return the hook that sets the status of a service of the mock."""
    return ControlHook(_HOOK, mock)


def describe_callers(callers: Iterable[Caller]) -> dict[str, Any]:
    """Return the content of a callers file; a credential without a team gets one of its own."""
    entries = [
        {"name": caller.name, "kind": caller.kind, "token": caller.token,
         "teams": list(caller.teams) or [str(uuid4())]}
        for caller in callers
    ]  # fmt: skip
    return {"teams": {team: team for entry in entries for team in entry["teams"]}, "callers": entries}
