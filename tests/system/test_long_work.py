"""The progress of work that takes minutes or hours, beyond a run of the gate."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.cli.commands.mutate import suggest_next
from contract_tests.mutation.engine import MutantResult
from contract_tests.mutation.report import MutationReport
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation
from contract_tests.runs.checkpoint import RunState


def test_soak_names_requests_rate_findings_and_time_left(tmp_path: Path) -> None:
    """A line of the soak has the times, the requests, their rate, the kinds of findings and the memory."""
    soak = pytest.importorskip("benchmarks.suites.soak", reason="the bench extra is not installed")
    sample = soak.MemorySample(70.0, 120.04, 80.0)
    memory = "fuzzer 120.0 MB, mock 80.0 MB"
    assert soak.format_sample(sample, 3600.0, tmp_path) == f"1m 10s of 1h, 58m 50s left, {memory}"
    case = Case("c", "slug-unique", "properties", (Step("createContainer", expect="refuse"),))
    seen = Aggregate.of([Observation(case, Judgement("violated", "slug-unique", "why"))])
    RunState("t", "now", seconds=70.0, requests=2170, committed=seen).save(tmp_path)
    sent = "2,170 requests, 31/s, 1 kind of finding (slug-unique)"
    assert soak.format_sample(sample, 3600.0, tmp_path) == f"1m 10s of 1h, 58m 50s left, {sent}, {memory}"


def test_bench_knows_the_time_left_from_the_last_time() -> None:
    """The time left is the time of the last run at the same scale; without one for each benchmark it is unknown."""
    bench = pytest.importorskip("benchmarks.__main__", reason="the bench extra is not installed")
    earlier = {"mock": {"scale": "full", "seconds": 60}, "gate": {"scale": "full", "seconds": 30}}
    assert bench.estimate_left(earlier, ("mock", "gate"), "full") == 90
    assert bench.estimate_left(earlier, ("mock", "stores"), "full") is None
    assert bench.estimate_left(earlier, ("mock",), "quick") is None
    line = bench.format_progress(1, 7, "stores", 65.0, 90.0)
    assert line == "benchmark 2 of 7: stores; 1m 5s, about 1m 30s left, as the last time"


@pytest.mark.parametrize(
    ("state", "folder", "advice"),
    [
        ("killed", None, ""),
        ("survived", None, "the survivors are above; write a case that sees it"),
        ("survived", Path("out"), "out/mutants.html shows each survivor; write a case"),
    ],
)
def test_mutation_ends_with_what_to_do(state: str, folder: Path | None, advice: str) -> None:
    """A mutation run with a survivor says where it is and what to do; one without a survivor says nothing."""
    mutant = SimpleNamespace(operator="widen")
    result = MutantResult(mutant, state)  # type: ignore[arg-type]
    line = suggest_next(MutationReport("t", 1.0, (result,), (), {}), folder)
    assert (line[: len(advice)], bool(line)) == (advice, bool(advice))
