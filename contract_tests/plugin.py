"""The suite as pytest: ``pytest -p contract_tests.plugin --target URL``, one test per rule.

``-k slug-unique`` plays the cases of that rule alone, in every layer. There is one run, made when the first test
asks for it. Under pytest-xdist it is split by layer, operation and seed: each worker takes the next part, and all
know the verdicts when the last part is played.
"""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract_tests.cases.callers import CallersError, load_callers
from contract_tests.cases.model import LAYERS, Layer
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.execution.created_log import Ledger
from contract_tests.execution.executor import Player
from contract_tests.execution.factory import open_player
from contract_tests.execution.preflight import CannotJudge, Preflight, preflight
from contract_tests.generation.rounds import GATE_EXAMPLES
from contract_tests.reports.terminal import last_line
from contract_tests.results.verdict import Report, RuleVerdict
from contract_tests.results.waivers import WaiversError, load_waivers
from contract_tests.runs.checkpoint import State, merged
from contract_tests.runs.partition import Part, parts, play_all, played
from contract_tests.runs.run import Options, Run
from contract_tests.targets.base import TargetError, open_target

_TESTS = Path(__file__).with_name("test_contract.py")
_FOLDER = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
_REPORT = pytest.StashKey[Report]()
_PROBLEM = "problem"  # the file in which a worker says why nothing can be judged


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
    if not config.getoption("--target"):
        return
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = [str(_TESTS)]
    if not _is_worker(config):
        config.stash[_FOLDER] = tempfile.TemporaryDirectory(prefix="contract-tests-")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the results of all are."""
    if _FOLDER in node.config.stash:
        node.workerinput["contract_folder"] = node.config.stash[_FOLDER].name


def pytest_report_header(config: pytest.Config) -> str:
    """Say why there are no tests where nobody said what to judge."""
    target = config.getoption("--target")
    return f"contract tests: {target or 'none; name what to judge with --target URL'}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give ``rule`` every id of the catalogue."""
    if metafunc.definition.path == _TESTS and "rule" in metafunc.fixturenames:
        metafunc.parametrize("rule", load_catalogue())


@pytest.fixture(scope="session")
def contract_report(request: pytest.FixtureRequest) -> Report:
    """The report of one run over the rules that are selected, by all workers together."""
    config = request.config
    if not config.getoption("--target"):
        pytest.exit("contract tests need --target URL", returncode=2)
    selected = {item.callspec.params["rule"] for item in request.session.items if hasattr(item, "callspec")}
    folder = _folder(config)
    try:
        options = _options(config, frozenset(selected))
        play_all(folder, parts(options), _playing(config, options))
    except (CallersError, TargetError, WaiversError, ValueError, OSError) as error:
        _end(config, f"contract tests: {error}", 2)
    except CannotJudge as error:
        _end(config, f"contract tests: {error}", 3)
    return merged(played(folder)).report(load_catalogue())


@pytest.fixture
def verdict(contract_report: Report, rule: str) -> RuleVerdict:
    """The verdict on one rule."""
    return next(row for row in contract_report.verdicts if row.rule.id == rule)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the reports of what was played, where one process knows it all."""
    config = session.config
    if _FOLDER not in config.stash:
        return
    folder = _folder(config)
    problem = folder / _PROBLEM
    if problem.is_file():
        code, _, _ = problem.read_text("utf-8").partition(" ")
        session.exitstatus = int(code)
        return
    states = played(folder)
    if not states:
        return
    report = config.stash[_REPORT] = merged(states).report(load_catalogue())
    if target := config.getoption("--report"):
        from contract_tests.reports.har import merge_har
        from contract_tests.reports.write import (
            write_reports,  # templates and formats only where they are asked for
        )

        write_reports(report, target)
        merge_har([path / "traffic.har" for path in sorted(folder.iterdir())], target / "traffic.har")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in one line what was found, how long it took and what was created; or why nothing could be judged."""
    report = config.stash.get(_REPORT, None)
    if report is not None:
        terminalreporter.write_line(last_line(report))
    if _FOLDER in config.stash:
        problem = _folder(config) / _PROBLEM
        if problem.is_file():
            terminalreporter.write_line(problem.read_text("utf-8").partition(" ")[2])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the results of the parts."""
    if _FOLDER in config.stash:
        config.stash[_FOLDER].cleanup()


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _folder(config: pytest.Config) -> Path:
    return Path(config.workerinput["contract_folder"] if _is_worker(config) else config.stash[_FOLDER].name)  # type: ignore[attr-defined]


def _end(config: pytest.Config, text: str, code: int) -> None:
    """End the session; a worker cannot, so it leaves word for the one that can."""
    if not _is_worker(config):
        pytest.exit(text, returncode=code)
    (_folder(config) / _PROBLEM).write_text(f"{code} {text}", "utf-8")
    pytest.fail(text, pytrace=False)


def _options(config: pytest.Config, rules: frozenset[str]) -> Options:
    layers = tuple(name.strip() for name in config.getoption("--layers").split(","))
    if unknown := set(layers) - set(LAYERS):
        raise ValueError(f"--layers {', '.join(sorted(unknown))}: the layers are {', '.join(LAYERS)}")
    chosen: tuple[Layer, ...] = tuple(layer for layer in LAYERS if layer in layers)
    catalogue, waivers = load_catalogue(), config.getoption("--waivers")
    return Options(
        target=config.getoption("--target"),
        layers=chosen,
        strict=config.getoption("--contract-strict"),
        seed=config.getoption("--contract-seed"),
        max_examples=config.getoption("--max-examples"),
        refuse_only=config.getoption("--refuse-only"),
        rules=rules if rules != frozenset(catalogue) else None,
        waivers=load_waivers(waivers, catalogue) if waivers else {},
    )


def _playing(config: pytest.Config, options: Options) -> Callable[[Part, Path], State]:
    """Return what plays a part. Of what may be created, each worker has its share."""
    folder, callers = config.getoption("--report"), config.getoption("--callers")
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(folder / "ledger.jsonl" if folder else None)
    most = config.getoption("--max-created")
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    everyone = load_callers(callers) if callers else None
    target, spec = open_target(config.getoption("--target")), load_spec()
    known: list[Preflight] = []

    def player() -> Player:
        return open_player(
            target,
            everyone,
            control_hook=config.getoption("--control-hook"),
            ledger=ledger,
            slug_prefix=config.getoption("--slug-prefix"),
            max_created=None if most is None else most // workers,
            refuse_only=config.getoption("--refuse-only"),
            parsed=spec,
        )

    def play(part: Part, place: Path) -> State:
        if not known:
            known.append(preflight(player()))
        run = Run(player(), part.options(options), ready=known[0])
        state = random.getstate()
        try:
            report = run.report()
        finally:
            random.setstate(state)
        if report.cut_short == "interrupted":
            raise KeyboardInterrupt
        if folder:
            from contract_tests.reports.har import write_har

            write_har(report, place / "traffic.har")
        return run.state

    return play
