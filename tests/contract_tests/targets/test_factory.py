"""Modules of a user that are no target: they exit, raise, or are not there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract_tests.execution.factory import open_executor
from contract_tests.execution.preflight.plain_creates import CannotJudge
from contract_tests.execution.preflight.run import run_preflight
from contract_tests.mutation.faults import load_faults
from contract_tests.mutation.session import import_factory
from contract_tests.targets.base import Request, Response, TargetError
from contract_tests.targets.factory import open_target

MODULES = {
    "exits": ("import sys; sys.exit(0)", "SystemExit: 0"),
    "is_cancelled": (
        "from asyncio import CancelledError\nraise CancelledError('late')",
        "CancelledError: late",
    ),
    "raises": ("raise RuntimeError('no database')", "RuntimeError: no database"),
    "is_no_python": ("x = = 1", "SyntaxError"),
}


@pytest.mark.parametrize("load", [open_target, import_factory, load_faults], ids=lambda each: each.__name__)
@pytest.mark.parametrize("name", MODULES)
def test_a_module_that_cannot_be_imported_is_one_sentence(
    name: str, load: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a module raises or does while it is imported, the command never ends with its exit code."""
    source, reason = MODULES[name]
    module = f"{name}_{load.__name__}"
    (tmp_path / f"{module}.py").write_text(source, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    prefix = "" if load is load_faults else "wsgi:"
    with pytest.raises(TargetError, match=reason):
        load(f"{prefix}{module}:create")


def test_a_factory_that_exits_is_one_sentence() -> None:
    """A factory that exits with 0 does not end a comparison or a mutation run as a success."""
    with pytest.raises(TargetError, match="exit_early: SystemExit: 0"):
        import_factory("wsgi:tests.contract_tests.targets.test_factory:exit_early")(spec={})


def exit_early(**_: Any) -> None:
    """Exit as a script does."""
    raise SystemExit(0)


def respond(_environ: Any, start_response: Any) -> list[bytes]:
    """Respond as a WSGI app that is no factory."""
    start_response("204 No Content", [])
    return []


def test_a_wsgi_app_stands_in_place_of_a_factory() -> None:
    """The usual name of an app, as other servers take it, needs no function around it."""
    for name in ("respond", "make_app"):
        target = open_target(f"wsgi:tests.contract_tests.targets.test_factory:{name}")
        received = target.send(Request("GET", "/r/containers/a"))
        assert isinstance(received, Response)
        assert received.status == 204


def refuse(_environ: Any, start_response: Any) -> list[bytes]:
    """Refuse every request."""
    start_response("401 Unauthorized", [])
    return []


def test_an_app_in_this_process_is_named_as_it_was_given() -> None:
    """A message about a target that cannot be judged names the app, not an address that nobody serves."""
    name = "wsgi:tests.contract_tests.targets.test_factory:refuse"
    with pytest.raises(CannotJudge, match=f"^{name} refuses every caller"):
        run_preflight(open_executor(open_target(name)))


def make_app(app: Any = respond) -> Any:
    """Return the app, as a factory with an option."""
    return app
