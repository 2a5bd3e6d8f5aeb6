"""The plan: units in the order of the faults that each finds and no earlier one, learnt from a kill matrix."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

from contract_tests.planning.units import Unit

#: A rule with a verdict is worth as much as so many faults of one that is judged already.
_FAULTS_PER_RULE = 3

#: A caller in the id of a unit, as in ``trace/nothing-on-external-by-jwt``.
_CALLER = re.compile(r"\b(?:dk|jwt|sk)(?:-red)?\b")

PLAN_FILE = Path(__file__).parent / "data" / "plan.json"


@dataclass(frozen=True, slots=True)
class PlannedUnit:
    """A unit of the plan; ``found`` faults and ``judged`` rules are those that no earlier one has."""

    id: str
    requests: int
    found: int
    judged: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Units in order; ``faults`` is the number of faults that some unit finds."""

    faults: int
    units: tuple[PlannedUnit, ...]

    @property
    def requests(self) -> int:
        """The number of requests of all units."""
        return sum(unit.requests for unit in self.units)

    def order_units(self, units: Iterable[Unit]) -> list[Unit]:
        """Return the units of the plan in its order; one that the plan does not know is left out.

        One by a caller that the run lacks gives its place to the same by another caller.
        """
        by_id = {unit.id: unit for unit in units}
        stand_ins: dict[str, list[Unit]] = defaultdict(list)
        for unplanned in sorted(by_id.keys() - {planned.id for planned in self.units}, reverse=True):
            stand_ins[_CALLER.sub("*", unplanned)].append(by_id[unplanned])
        ordered: list[Unit] = []
        for planned in self.units:
            if planned.id in by_id:
                ordered.append(by_id[planned.id])
            elif others := stand_ins[_CALLER.sub("*", planned.id)]:
                ordered.append(others.pop())
        return ordered

    def share_found(self, number: int) -> float:
        """Return the share of the faults that the first units find."""
        return sum(planned.found for planned in self.units[:number]) / max(1, self.faults)

    def count_affordable(self, requests: int) -> int:
        """Return how many of the first units so many requests pay for."""
        spent = accumulate(planned.requests for planned in self.units)
        return sum(total <= requests for total in spent)


def build_plan(
    kills: Mapping[str, Iterable[str]], decided: Mapping[str, Iterable[str]], units: Iterable[Unit]
) -> Plan:
    """Return the plan: greedy set cover of the faults and the rules.

    ``kills`` maps each fault to the units that find it, ``decided`` each rule to those that give it a verdict. The
    next unit is the one that adds most for its price.
    """
    by_id = {unit.id: unit for unit in units}
    faults, rules = _keep_known(kills, by_id), _keep_known(decided, by_id)
    total, planned = len(faults), []
    while faults or rules:
        found, judged = _count_by_unit(faults), _count_by_unit(rules)
        gains = {unit: found[unit] + _FAULTS_PER_RULE * judged[unit] for unit in sorted({*found, *judged})}
        best = max(gains, key=lambda unit: gains[unit] / by_id[unit].price)
        planned.append(PlannedUnit(best, by_id[best].requests, found[best], judged[best]))
        faults = [each for each in faults if best not in each]
        rules = [each for each in rules if best not in each]
    return Plan(total, tuple(planned))


def _keep_known(table: Mapping[str, Iterable[str]], units: Mapping[str, Unit]) -> list[set[str]]:
    """Return the units of each entry that has any."""
    return [known for each in table.values() if (known := units.keys() & set(each))]


def _count_by_unit(table: Iterable[set[str]]) -> Counter[str]:
    return Counter(unit for each in table for unit in each)


def save_plan(plan: Plan, path: Path = PLAN_FILE) -> None:
    """Write the plan, one unit a line."""
    path.parent.mkdir(exist_ok=True)
    units = ",\n".join(json.dumps(asdict(unit)) for unit in plan.units)
    path.write_text(f'{{"faults": {plan.faults}, "units": [\n{units}\n]}}\n', "utf-8")


@cache
def load_plan(path: Path = PLAN_FILE) -> Plan:
    """Read the plan that is shipped with the kit."""
    data = json.loads(path.read_text("utf-8"))
    return Plan(data["faults"], tuple(PlannedUnit(**unit) for unit in data["units"]))
