"""Behaviour faults: what no mutant of a contract can say, planted in an app by whoever knows it."""

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from contract_tests.targets.base import TargetError


class Fault(Protocol):
    """A named fault: the rules that it breaks, and a WSGI app with the fault in it and nothing stored."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def breaks(self) -> Iterable[str]:
        """The rules that it breaks."""
        ...

    def app(self) -> Any:
        """Return a WSGI app with the fault in it."""
        ...


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """A fault in the form of a mutant."""

    fault: Fault

    @property
    def id(self) -> str:
        """The fault's name."""
        return f"behaviour:{self.fault.name}"

    @property
    def operator(self) -> str:
        """All faults are of one kind."""
        return "behaviour"

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that it breaks."""
        return tuple(sorted(self.fault.breaks))

    def app(self) -> Any:
        """Return a WSGI app with the fault in it."""
        return self.fault.app()

    def diff(self, _document: Mapping[str, Any]) -> str:
        """Return the fault in words."""
        return f"the target behaves as if: {self.fault.name.replace('-', ' ')}"


def load_faults(name: str) -> tuple[PlantedFault, ...]:
    """Return the faults of ``module:attribute``; TargetError says what is wrong with it."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
        return tuple(PlantedFault(fault) for fault in found)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise TargetError(f"--faults {name}: {error}; give module:attribute, a list of faults") from None
