"""Behaviour faults: faults that no mutant of a contract can express, planted in an app."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from contract_tests.targets.factory import import_object, report_foreign_errors

_MAX_FAULTS = 10_000
_FORM = "give module:attribute, a list of objects with name, breaks and app"


class Fault(Protocol):
    """A named fault: the rules that it breaks, and a WSGI app with the fault and an empty store."""

    @property
    def name(self) -> str:
        """The name of the fault."""
        ...

    @property
    def breaks(self) -> Iterable[str]:
        """The rules that it breaks."""
        ...

    def app(self) -> Any:
        """Return a WSGI app with the fault."""
        ...


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """A fault with the interface of a mutant."""

    fault: Fault

    @property
    def id(self) -> str:
        """The name of the fault, with a prefix."""
        return f"behaviour:{self.fault.name}"

    @property
    def operator(self) -> str:
        """The operator, the same for all faults."""
        return "behaviour"

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that it breaks."""
        return tuple(sorted(self.fault.breaks))

    def app(self) -> Any:
        """Return a WSGI app with the fault; raise TargetError if it cannot be built."""
        with report_foreign_errors(self.id):
            return self.fault.app()

    def diff(self, _document: Mapping[str, Any]) -> str:
        """Return the fault in words."""
        return f"the target behaves as if: {self.fault.name.replace('-', ' ')}"


def load_faults(name: str) -> tuple[PlantedFault, ...]:
    """Return the faults of ``module:attribute``; raise TargetError if they cannot be loaded."""
    with report_foreign_errors(f"--faults {name}", _FORM):
        found = tuple(islice(import_object(name), _MAX_FAULTS + 1))
        if len(found) > _MAX_FAULTS:
            raise ValueError(f"there are over {_MAX_FAULTS} faults")
        for fault in found:
            _check_fault(fault)
        return tuple(map(PlantedFault, found))


def _check_fault(fault: Any) -> None:
    """Raise an error unless an object has the interface of a fault."""
    rules = () if isinstance(fault.breaks, str) else tuple(fault.breaks)
    texts = all(isinstance(text, str) for text in (fault.name, *rules))
    if not (rules and texts and callable(fault.app)):
        raise TypeError(f"{fault!r:.80}: expected a name, the ids of the rules in breaks, and a method app")
