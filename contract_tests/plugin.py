"""The suite as a pytest plugin: ``pytest -p contract_tests.plugin --target URL``, one test per rule.

``-k slug-unique`` runs the cases of that rule alone, in every layer. The first test starts the run. Under
pytest-xdist the run is split by layer, operation and seed: each worker takes the next part, and all of them know
the verdicts when the last part is done.
"""

import random
import tempfile
from collections.abc import Callable, Container
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from contract_tests.cases.callers import CallersError, load_callers
from contract_tests.cases.model import LAYERS, Layer
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.contract.waivers import WaiversError, load_waivers
from contract_tests.execution.executor import Executor
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.preflight.plain_creates import CannotJudge
from contract_tests.execution.preflight.run import PreflightResult, run_preflight
from contract_tests.execution.sending.created_log import CreatedLog
from contract_tests.generation.rounds import GATE_EXAMPLES
from contract_tests.reports.content.common import escape_console
from contract_tests.reports.content.headline import format_last_line
from contract_tests.results.verdict import MIN_JUDGED, Report, RuleVerdict
from contract_tests.runs.checkpoint import RunState, merge_states
from contract_tests.runs.options import RunOptions
from contract_tests.runs.partition import Part, load_finished_parts, run_parts, split_run
from contract_tests.runs.run import Run, RunHooks
from contract_tests.targets.base import TargetError
from contract_tests.targets.control_hook import CONTROL_HOOK_HELP
from contract_tests.targets.factory import open_target

_TESTS = Path(__file__).resolve().with_name("test_contract.py")
_FOLDER = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
_REPORT = pytest.StashKey[Report]()
_UNTESTED = pytest.StashKey[list[str]]()
_PROBLEM = "problem"  # the file in which a worker reports why nothing can be judged


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suite."""
    group = parser.getgroup("contract", "conformance to the contract")
    group.addoption("--target", help="base URL of the deployment, or wsgi:module:factory")
    group.addoption("--callers", type=Path, help="file of callers, like fixtures/callers.yaml")
    group.addoption("--layers", default=",".join(LAYERS), help="layers to run, comma-separated; default: all")
    group.addoption("--contract-strict", action="store_true", help="fail on assumed rules too")
    group.addoption("--contract-seed", type=int, default=0, help="seed for the random layers")
    group.addoption(
        "--max-examples", type=int, default=GATE_EXAMPLES, help="random bodies per operation and mode"
    )
    group.addoption("--control-hook", help=CONTROL_HOOK_HELP.rstrip("."))
    group.addoption("--waivers", type=Path, help="YAML list of rule, reason, until")
    group.addoption(
        "--min-judged",
        type=float,
        default=MIN_JUDGED,
        help="share of the tried rules that must have a verdict",
    )
    group.addoption("--max-created", type=int, help="limit of services that the run creates")
    group.addoption(
        "--refuse-only",
        action="store_true",
        help="send only invalid requests: creates nothing on a deployment that conforms",
    )
    group.addoption("--slug-prefix", default="ck-", help="prefix for created slugs")
    group.addoption(
        "--traceparent", action="store_true", help="send headers that name the trace and the case"
    )
    group.addoption("--report", type=Path, help="folder for all reports")


def pytest_configure(config: pytest.Config) -> None:
    """Collect the contract's tests if no path is given."""
    if not config.getoption("--target"):
        return
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = [str(_TESTS)]
    if not _is_worker(config):
        config.stash[_FOLDER] = tempfile.TemporaryDirectory(prefix="contract-tests-")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Pass the folder of all results to a worker of pytest-xdist."""
    if _FOLDER in node.config.stash:
        node.workerinput["contract_folder"] = node.config.stash[_FOLDER].name


def pytest_report_header(config: pytest.Config) -> str:
    """Return a header line with the target, or a hint if none is given."""
    target = config.getoption("--target")
    return f"contract tests: {target or 'none; name a target with --target URL'}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize ``rule`` with every rule id."""
    if metafunc.definition.path == _TESTS and "rule" in metafunc.fixturenames:
        metafunc.parametrize("rule", load_catalogue())


@pytest.fixture(scope="session")
def contract_report(request: pytest.FixtureRequest) -> Report:
    """Run the selected rules, all workers together, and return the report."""
    config = request.config
    if not config.getoption("--target"):
        pytest.exit("contract tests need --target URL", returncode=2)
    selected = {item.callspec.params["rule"] for item in request.session.items if hasattr(item, "callspec")}
    folder = _result_folder(config)
    try:
        options = _read_options(config, frozenset(selected))
        with closing(_open_log(config)) as created_log:
            run_parts(folder, split_run(options), _build_part_runner(config, options, created_log))
    except (CallersError, TargetError, WaiversError, ValueError, OSError) as error:
        _end_session(config, f"contract tests: {error}", 2)
    except CannotJudge as error:
        _end_session(config, f"contract tests: {error}", 3)
    return merge_states(load_finished_parts(folder)).build_report(load_catalogue())


@pytest.fixture
def verdict(contract_report: Report, rule: str) -> RuleVerdict:
    """Return the verdict on one rule."""
    return next(row for row in contract_report.verdicts if row.rule.id == rule)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the reports, in the process that has all results."""
    config = session.config
    if _FOLDER not in config.stash:
        return
    folder = _result_folder(config)
    problem = folder / _PROBLEM
    if problem.is_file():
        code, _, _ = problem.read_text("utf-8").partition(" ")
        session.exitstatus = int(code)
        return
    states = load_finished_parts(folder)
    if not states:
        return
    state = merge_states(states)
    report = config.stash[_REPORT] = state.build_report(load_catalogue())
    config.stash[_UNTESTED] = _describe_untested(report, state.rules)
    if report.exit_code and not session.exitstatus:
        session.exitstatus = (
            report.exit_code
        )  # as the command: a waiver expired, or too little could be judged
    if target := config.getoption("--report"):
        from contract_tests.reports.har import merge_har

        # Loads the template engine and all formats, which a run without reports never needs.
        from contract_tests.reports.write import write_reports

        write_reports(report, target)
        merge_har([path / "traffic.har" for path in sorted(folder.iterdir())], target / "traffic.har")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the summary line of the run, or why nothing could be judged."""
    report = config.stash.get(_REPORT, None)
    if report is not None:
        for line in (*config.stash[_UNTESTED], format_last_line(report)):
            terminalreporter.write_line(escape_console(line))
    if config.getoption("--target") and not _collects_rules(config):
        terminalreporter.write_line(f"no contract rule was collected, since a path is given; add {_TESTS}")
    if _FOLDER in config.stash:
        problem = _result_folder(config) / _PROBLEM
        if problem.is_file():
            terminalreporter.write_line(problem.read_text("utf-8").partition(" ")[2])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Delete the results of the parts."""
    if _FOLDER in config.stash:
        config.stash[_FOLDER].cleanup()


def _describe_untested(report: Report, rules: Container[str] | None) -> list[str]:
    """Return in words which rules are violated that are not selected, so that no test names them."""
    return [
        f"{row.rule.id} is violated, too: {row.reason}; test it with -k {row.rule.id}"
        for row in report.verdicts
        if row.fails and rules is not None and row.rule.id not in rules
    ]


def _collects_rules(config: pytest.Config) -> bool:
    """Return whether the arguments lead to the contract's tests."""
    paths = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    named = any(argument.startswith("contract_tests") for argument in config.args)  # with --pyargs
    return named or any(path.resolve() in (_TESTS, *_TESTS.parents) for path in paths)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _result_folder(config: pytest.Config) -> Path:
    return Path(config.workerinput["contract_folder"] if _is_worker(config) else config.stash[_FOLDER].name)  # type: ignore[attr-defined]


def _end_session(config: pytest.Config, text: str, code: int) -> None:
    """End the session; a worker cannot, so it writes the reason for the main process."""
    text = escape_console(text)
    if not _is_worker(config):
        pytest.exit(text, returncode=code)
    (_result_folder(config) / _PROBLEM).write_text(f"{code} {text}", "utf-8")
    pytest.fail(text, pytrace=False)


def _read_options(config: pytest.Config, rules: frozenset[str]) -> RunOptions:
    layers = tuple(name.strip() for name in config.getoption("--layers").split(","))
    if unknown := set(layers) - set(LAYERS):
        raise ValueError(f"--layers {', '.join(sorted(unknown))}: the layers are {', '.join(LAYERS)}")
    chosen: tuple[Layer, ...] = tuple(layer for layer in LAYERS if layer in layers)
    catalogue, waivers = load_catalogue(), config.getoption("--waivers")
    return RunOptions(
        target=config.getoption("--target"),
        layers=chosen,
        strict=config.getoption("--contract-strict"),
        seed=config.getoption("--contract-seed"),
        max_examples=config.getoption("--max-examples"),
        refuse_only=config.getoption("--refuse-only"),
        min_judged=config.getoption("--min-judged"),
        rules=rules if rules != frozenset(catalogue) else None,
        waivers=load_waivers(waivers, catalogue) if waivers else {},
    )


def _open_log(config: pytest.Config) -> CreatedLog:
    """Open the log of created services in the report folder, if there is one."""
    folder = config.getoption("--report")
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    created_log = CreatedLog(folder / "ledger.jsonl" if folder else None)
    created_log.name_target(config.getoption("--target"))
    return created_log


def _build_part_runner(
    config: pytest.Config, options: RunOptions, created_log: CreatedLog
) -> Callable[[Part, Path], RunState]:
    """Return a function that runs one part; each worker may create its share of the services."""
    open_part_executor = _build_executor_opener(config, created_log)
    preflights: list[PreflightResult] = []

    def run_part(part: Part, place: Path) -> RunState:
        if not preflights:
            preflights.append(run_preflight(open_part_executor()))
        hooks = RunHooks(preflight=preflights[0])
        run = Run(open_part_executor(), part.narrow_options(options), hooks)
        random_state = random.getstate()
        try:
            report = run.execute()
        finally:
            random.setstate(random_state)
        if report.cut_short == "interrupted":
            raise KeyboardInterrupt
        if config.getoption("--report"):
            from contract_tests.reports.har import write_har

            write_har(report, place / "traffic.har")
        return run.state

    return run_part


def _build_executor_opener(config: pytest.Config, created_log: CreatedLog) -> Callable[[], Executor]:
    callers, max_created = config.getoption("--callers"), config.getoption("--max-created")
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    all_callers = load_callers(callers) if callers else None
    target = open_target(config.getoption("--target"))
    options = ExecutorOptions(
        spec=load_spec(),
        control_hook=config.getoption("--control-hook"),
        slug_prefix=config.getoption("--slug-prefix"),
        max_created=None if max_created is None else max_created // workers,
        refuse_only=config.getoption("--refuse-only"),
        traced=config.getoption("--traceparent"),
    )
    return lambda: open_executor(target, all_callers, options, created_log)
