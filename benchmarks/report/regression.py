"""Compares the cost of the mock, as a multiple of bare Flask's, with that of the recorded results."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.servers.contenders import BARE_FLASK, MOCK, QUIET_MOCK

#: A multiple of bare Flask's cost may grow by this factor: machines and rounds differ by a third.
MAX_FACTOR = 1.5


def list_regressions(figures: Mapping[str, Any], recorded: Mapping[str, Any]) -> Iterator[str]:
    """Yield in words each workload that costs more than MAX_FACTOR times as much as recorded."""
    for contender in (MOCK, QUIET_MOCK):
        before, now = _find_ratios(recorded, contender.name), _find_ratios(figures, contender.name)
        for workload in before.keys() & now.keys():
            if now[workload] > MAX_FACTOR * before[workload]:
                yield (
                    f"{contender.name}, {workload}: {now[workload]:.2f} times bare Flask's CPU, "
                    f"recorded {before[workload]:.2f}"
                )


def _find_ratios(figures: Mapping[str, Any], contender: str) -> dict[str, float]:
    costs = figures["costs"]
    bare = costs[BARE_FLASK.name]
    return {
        name: cost["cpu"]["median"] / bare[name]["cpu"]["median"]
        for name, cost in costs.get(contender, {}).items()
        if name in bare
    }
