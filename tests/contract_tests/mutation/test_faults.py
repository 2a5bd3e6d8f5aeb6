"""Planted faults whose apps cannot be built."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from types import SimpleNamespace
from typing import Any

import pytest

from contract_tests.mutation.engine import run_mutations
from contract_tests.mutation.faults import PlantedFault, load_faults
from contract_tests.targets.base import TargetError


@dataclass(frozen=True)
class UnusableFault:
    """A fault whose app ends the process, softly or at once."""

    end: Callable[[], Any]
    name: str = "ends-early"
    breaks: tuple[str, ...] = ("slug-unique",)

    def app(self) -> Any:
        """End instead of returning an app."""
        return self.end()


#: By name: what is no iterable of faults.
UNUSABLE: dict[str, Any] = {
    "text": "abc",
    "nothing": None,
    "objects": [object()],
    "name-of-another-type": [SimpleNamespace(name=5, breaks=("slug-unique",), app=dict)],
    "no-rules": [SimpleNamespace(name="a", breaks=(), app=dict)],
    "rules-in-one-text": [SimpleNamespace(name="a", breaks="slug-unique", app=dict)],
    "without-end": repeat(SimpleNamespace(name="a", breaks=("slug-unique",), app=dict)),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_is_no_iterable_of_faults_is_one_sentence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of use, before any mutant runs."""
    monkeypatch.setattr(sys.modules[__name__], "faults", UNUSABLE[name], raising=False)
    with pytest.raises(
        TargetError, match="give module:attribute, a list of objects with name, breaks and app"
    ):
        load_faults(f"{__name__}:faults")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_fault_that_exits_is_one_sentence(jobs: int) -> None:
    """Its exit code 0 is not taken for the result of the command, in a process of its own neither."""
    planted = [PlantedFault(UnusableFault(partial(exit_with, 0)))] * 2
    session: Any = None  # nothing is sent before there is an app
    with pytest.raises(TargetError, match="behaviour:ends-early: SystemExit: 0"):
        list(run_mutations(session, planted, jobs))


def test_a_process_that_is_gone_is_one_sentence() -> None:
    """A target that ends its process, or is killed for its memory, is no error of the kit."""
    planted = [PlantedFault(UnusableFault(partial(os._exit, 0)))] * 2
    session: Any = None
    with pytest.raises(TargetError, match="a process ended before its mutants"):
        list(run_mutations(session, planted, 2))


def exit_with(code: int) -> None:
    """Exit as a script does."""
    raise SystemExit(code)
