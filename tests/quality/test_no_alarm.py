"""A correct deployment is never called broken: the mock, and the example deployment with each of its choices.

In process each run of the gate takes a second or two, so every variant is played, in all of the gate's layers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from contract_tests.cases.model import LAYERS
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.results.verdict import Report
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.http import HttpTarget
from examples.deployment.choices import DEFAULT, USUAL, VARIANTS
from mock_server import create_app
from tests.support.clients import serving
from tests.support.gate.example_app import build_deployment_app
from tests.support.gate.gate import (
    EXAMPLE_HOOK,
    MOCK_HOOK,
    App,
    catalogue,
    describe_findings,
    judge_app,
    rules_with,
)
from tests.support.sampling import keep_first

pytestmark = pytest.mark.slow

SETS = {"default": DEFAULT, "usual": USUAL}

#: What nobody can say of some variants, and why.
UNSAID = {
    "no-readback": "the target offers no read-back",
    "credential-must-exist": "every credential reference is refused here",
}


def assert_quiet(report: Report) -> None:
    """Nothing fails, the run came to its end, and there is a verdict on every rule."""
    failures = [finding.id for finding in report.findings if finding.severity == "failure"]
    assert (failures, report.exit_code, report.cut_short) == ([], 0, ""), describe_findings(report)
    assert len(report.verdicts) == len(catalogue())


@contextmanager
def over_a_socket(app: App, hook: str) -> Iterator[Callable[..., Report]]:
    """Runs the suite against an app that is served on a port of this machine."""
    with serving(app) as port:

        def run(**options: object) -> Report:
            player = open_executor(
                HttpTarget(f"http://127.0.0.1:{port}/api/v1"), options=ExecutorOptions(control_hook=hook)
            )
            return Run(player, RunOptions(**options)).execute()  # type: ignore[arg-type]

        yield run


@pytest.mark.parametrize("seed", keep_first(1, [0, 1, 2]))
def test_the_mock_in_process(seed: int) -> None:
    """In every layer, strictly and with each seed, the mock keeps every rule, and every rule is judged."""
    report = judge_app(create_app(), layers=LAYERS, seed=seed)
    assert_quiet(report)
    assert rules_with(report, "conforms") == set(catalogue())
    assert report.findings == ()


@pytest.mark.parametrize("seed", keep_first(1, [0, 1, 2]))
def test_the_mock_over_a_socket(seed: int) -> None:
    """The same over a real socket, with several requests at once."""
    with over_a_socket(create_app(), MOCK_HOOK) as run:
        report = run(strict=True, seed=seed)
    assert_quiet(report)
    assert rules_with(report, "conforms") == set(catalogue())
    assert report.findings == ()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("seed", keep_first(1, [0, 1]))
def test_the_example_deployment_in_every_layer(name: str, seed: int) -> None:
    """Both sets of choices keep what is documented, also with generated bodies."""
    assert_quiet(
        judge_app(build_deployment_app(SETS[name]), hook=EXAMPLE_HOOK, layers=LAYERS, strict=False, seed=seed)
    )


@pytest.mark.parametrize("name", keep_first(2, ["mock", *SETS]))
def test_many_generated_bodies_raise_no_alarm(name: str) -> None:
    """The phase of Schemathesis that tries every boundary, more random bodies, calls and traces find nothing."""
    app, hook = (
        (build_deployment_app(SETS[name]), EXAMPLE_HOOK) if name in SETS else (create_app(), MOCK_HOOK)
    )
    report = judge_app(app, hook=hook, layers=("properties",), strict=False, max_examples=300, seed=4)
    failures = [finding.id for finding in report.findings if finding.severity == "failure"]
    assert failures == [], describe_findings(report)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=(pytest.mark.exhaustive,) if number % 40 else ())
        for number, name in enumerate(VARIANTS)
    ],
)
def test_a_variant_of_the_example_deployment(name: str) -> None:
    """One choice changed at a time raises no alarm in a longer run, and only two of them leave something unsaid."""
    report = judge_app(
        build_deployment_app(VARIANTS[name]), hook=EXAMPLE_HOOK, layers=LAYERS, strict=False, max_examples=60
    )
    assert_quiet(report)
    unsaid = [row for row in report.verdicts if row.verdict in ("inconclusive", "not observed")]
    assert bool(unsaid) == (name in UNSAID)
    assert any(UNSAID[name] in row.reason for row in unsaid) or not unsaid


def test_a_variant_over_a_socket() -> None:
    """The example deployment over a real socket, in every layer, with several requests at once."""
    with over_a_socket(build_deployment_app(DEFAULT), EXAMPLE_HOOK) as run:
        assert_quiet(run(strict=False, seed=3))
