"""All planted faults, in one table: ``tests.quality.faults:FAULTS`` is also what ``contract-tests mutate`` takes."""

from dataclasses import replace

from tests.quality.faults.answers import ANSWERED
from tests.quality.faults.bleeding import BLEEDING
from tests.quality.faults.callers import CALLERS
from tests.quality.faults.company import COMPANY
from tests.quality.faults.consequences import CONSEQUENCES, MISSED, OTHERWISE
from tests.quality.faults.intermittent import INTERMITTENT
from tests.quality.faults.state import STATE
from tests.quality.faults.state_company import STATE_COMPANY
from tests.quality.faults.storage import STORAGE
from tests.quality.faults.strict_callers import STRICT_CALLERS
from tests.quality.faults.strict_requests import STRICT_REQUESTS
from tests.quality.faults.strict_values import STRICT_VALUES
from tests.quality.faults.times import TIMES
from tests.quality.faults.unique import UNIQUE
from tests.quality.faults.values import VALUES
from tests.quality.faults.wire import WIRE
from tests.support.gate.planting import Fault

_STRICT: tuple[Fault, ...] = (*STRICT_VALUES, *STRICT_REQUESTS, *STRICT_CALLERS)
_IN_COMPANY: tuple[Fault, ...] = (*COMPANY, *STATE_COMPANY, *INTERMITTENT)
_STORED: tuple[Fault, ...] = (*STORAGE, *BLEEDING)

_CORE: tuple[Fault, ...] = (*CALLERS, *WIRE, *VALUES, *STATE, *UNIQUE, *TIMES)
_PLANTED: tuple[Fault, ...] = (
    *_CORE,
    *(*_STRICT, *_IN_COMPANY, *_STORED, *ANSWERED),
)

#: Every planted fault that the gate finds under the rules that it breaks.
FAULTS: tuple[Fault, ...] = tuple(
    replace(fault, also={**fault.also, **CONSEQUENCES.get(fault.name, {})})
    for fault in _PLANTED
    if fault.name not in OTHERWISE and fault.name not in MISSED
)
#: Those that it finds under other rules, and those that it misses.
FOUND_OTHERWISE: tuple[Fault, ...] = tuple(fault for fault in _PLANTED if fault.name in OTHERWISE)
NOT_FOUND: tuple[Fault, ...] = tuple(fault for fault in _PLANTED if fault.name in MISSED)
#: One or a few faults of each rule: `make mutants` also plants them in scopes.
CORE_FAULTS: tuple[Fault, ...] = tuple(
    fault for fault in FAULTS if fault.name in {fault.name for fault in _CORE}
)
