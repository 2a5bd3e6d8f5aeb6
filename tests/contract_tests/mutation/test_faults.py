"""Planted faults whose apps cannot be built."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from contract_tests.mutation.engine import run_mutations
from contract_tests.mutation.faults import PlantedFault
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
