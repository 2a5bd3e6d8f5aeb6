"""All planted faults, in one table: ``tests.quality.faults:FAULTS`` is also what ``contract-tests mutate`` takes."""

from tests.quality.faults_callers import CALLERS
from tests.quality.faults_state import STATE
from tests.quality.faults_times import TIMES
from tests.quality.faults_unique import UNIQUE
from tests.quality.faults_values import VALUES
from tests.quality.faults_wire import WIRE
from tests.support.gate.planting import Fault

FAULTS: tuple[Fault, ...] = (*CALLERS, *WIRE, *VALUES, *STATE, *UNIQUE, *TIMES)
