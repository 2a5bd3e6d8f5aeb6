"""The suite as pytest: ``pytest -p contract_tests.plugin --target URL``, one test per rule.

``-k slug-unique`` plays the cases of that rule alone, in every layer. There is one run, made when the first test
asks for it; under pytest-xdist ``--dist loadgroup`` keeps it in one worker.
"""

import random
from pathlib import Path

import pytest

from contract_tests.callers import CallersError, load_callers
from contract_tests.case import LAYERS, Layer
from contract_tests.catalogue import load_catalogue
from contract_tests.ledger import Ledger
from contract_tests.preflight import CannotJudge
from contract_tests.properties import GATE_EXAMPLES
from contract_tests.report_terminal import last_line
from contract_tests.run import Options, Run
from contract_tests.session import open_player
from contract_tests.target import TargetError, open_target
from contract_tests.verdict import Report, RuleVerdict
from contract_tests.waivers import WaiversError, load_waivers

_TESTS = Path(__file__).with_name("test_contract.py")
_REPORT = pytest.StashKey[Report]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suite."""
    group = parser.getgroup("contract", "conformance to the contract")
    group.addoption("--target", help="base URL of the deployment, or wsgi:module:factory")
    group.addoption("--callers", type=Path, help="who calls; the form of fixtures/callers.yaml")
    group.addoption("--layers", default=",".join(LAYERS), help="comma-separated; default: all")
    group.addoption("--contract-strict", action="store_true", help="assumed rules fail too")
    group.addoption("--contract-seed", type=int, default=0, help="of the random layers")
    group.addoption(
        "--max-examples", type=int, default=GATE_EXAMPLES, help="random bodies per operation and mode"
    )
    group.addoption("--control-hook", help="URL with {id} and {status} that sets a service's status")
    group.addoption("--waivers", type=Path, help="YAML list of rule, reason, until")
    group.addoption("--max-created", type=int, help="create at most so many services")
    group.addoption("--refuse-only", action="store_true", help="send only what must be refused")
    group.addoption("--slug-prefix", default="ck-", help="begins every slug")
    group.addoption("--report", type=Path, help="folder for all reports")


def pytest_configure(config: pytest.Config) -> None:
    """Collect the contract's tests where no path is given."""
    if config.getoption("--target") and config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = [str(_TESTS)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give ``rule`` every id of the catalogue."""
    if metafunc.definition.path == _TESTS and "rule" in metafunc.fixturenames:
        metafunc.parametrize("rule", load_catalogue())


@pytest.fixture(scope="session")
def contract_report(request: pytest.FixtureRequest) -> Report:
    """The report of one run over the rules that are selected."""
    config = request.config
    if not config.getoption("--target"):
        pytest.exit("contract tests need --target URL", returncode=2)
    selected = {item.callspec.params["rule"] for item in request.session.items if hasattr(item, "callspec")}
    try:
        report = _run(config, frozenset(selected))
    except (CallersError, TargetError, WaiversError, ValueError, OSError) as error:
        pytest.exit(f"contract tests: {error}", returncode=2)
    except CannotJudge as error:
        pytest.exit(f"contract tests: {error}", returncode=3)
    config.stash[_REPORT] = report
    if folder := config.getoption("--report"):
        from contract_tests.report import write_reports  # templates and formats only where they are asked for

        write_reports(report, folder)
    return report


@pytest.fixture
def verdict(contract_report: Report, rule: str) -> RuleVerdict:
    """The verdict on one rule."""
    return next(row for row in contract_report.verdicts if row.rule.id == rule)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in one line what was found, how long it took and what was created."""
    report = config.stash.get(_REPORT, None)
    if report is not None:
        terminalreporter.write_line(last_line(report))


def _run(config: pytest.Config, rules: frozenset[str]) -> Report:
    layers = tuple(name.strip() for name in config.getoption("--layers").split(","))
    if unknown := set(layers) - set(LAYERS):
        raise ValueError(f"--layers {', '.join(sorted(unknown))}: the layers are {', '.join(LAYERS)}")
    folder, callers = config.getoption("--report"), config.getoption("--callers")
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    player = open_player(
        open_target(config.getoption("--target")),
        load_callers(callers) if callers else None,
        control_hook=config.getoption("--control-hook"),
        ledger=Ledger(folder / "ledger.jsonl" if folder else None),
        slug_prefix=config.getoption("--slug-prefix"),
        max_created=config.getoption("--max-created"),
        refuse_only=config.getoption("--refuse-only"),
    )
    waivers = config.getoption("--waivers")
    chosen: tuple[Layer, ...] = tuple(layer for layer in LAYERS if layer in layers)
    options = Options(
        target=config.getoption("--target"),
        layers=chosen,
        strict=config.getoption("--contract-strict"),
        seed=config.getoption("--contract-seed"),
        max_examples=config.getoption("--max-examples"),
        refuse_only=config.getoption("--refuse-only"),
        rules=rules if rules != frozenset(player.catalogue) else None,
        waivers=load_waivers(waivers, player.catalogue) if waivers else {},
    )
    state = random.getstate()
    try:
        return Run(player, options).report()
    finally:
        random.setstate(state)
