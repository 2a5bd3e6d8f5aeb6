"""All planted faults, in one table: ``tests.quality.faults:FAULTS`` is also what ``contract-tests mutate`` takes."""

from tests.quality.faults.callers import CALLERS
from tests.quality.faults.state import STATE
from tests.quality.faults.times import TIMES
from tests.quality.faults.unique import UNIQUE
from tests.quality.faults.values import VALUES
from tests.quality.faults.wire import WIRE
from tests.support.gate.planting import Fault

FAULTS: tuple[Fault, ...] = (*CALLERS, *WIRE, *VALUES, *STATE, *UNIQUE, *TIMES)
