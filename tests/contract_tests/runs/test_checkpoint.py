"""Resumed runs, and shards merged into one report."""

import json
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.waivers import Waiver
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation
from contract_tests.results.verdict import Report
from contract_tests.runs.checkpoint import RunState, load_state
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.gate import MOCK_HOOK
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.odd_servers import COMMAND, CommandResult, run_command, serve_app
from tests.support.gate.planting import add_interceptor

pytestmark = pytest.mark.slow

OFF = frozenset({"slug-unique", "exposed-port-range", "team-scope", "auth-known"})
MOCK = "wsgi:mock_server:create_app"
HOOK = ("--control-hook", MOCK_HOOK)


def map_verdicts(report: Report) -> dict[str, tuple[str, str]]:
    """Return the verdict on each rule with its severity."""
    return {row.rule.id: (row.verdict, row.severity) for row in report.verdicts}


def run_faulty_mock(**options: Any) -> Run:
    """Run the layers against a faulty mock."""
    run = Run(
        open_executor(
            WsgiTarget(create_app(disabled_rules=OFF)), options=ExecutorOptions(control_hook=MOCK_HOOK)
        ),
        RunOptions(**options),
    )
    run.execute()
    return run


def test_a_state_survives_its_file(tmp_path: Path) -> None:
    """A loaded state gives the same report: verdicts, findings with requests, layers and counts."""
    run = run_faulty_mock(layers=("cases", "lifecycle", "race"))
    run.state.save(tmp_path)
    assert load_state(tmp_path).build_report(run.catalogue) == run.state.build_report(run.catalogue)
    assert {path.name for path in tmp_path.iterdir()} == {"state.json"}


def run_shards(folder: Path, count: int, target: str, *options: str) -> list[Path]:
    """Run all shards of a run; return their report folders."""
    for number in range(1, count + 1):
        run_command("run", "--target", target, "--shard", f"{number}/{count}", "--quiet",
                "--control-hook", MOCK_HOOK, "--report", folder / str(number), *options)  # fmt: skip
    return [folder / str(number) for number in range(1, count + 1)]


def test_merged_shards_equal_one_run(tmp_path: Path) -> None:
    """Merged shards have the verdicts of the whole run, every report, and all traffic."""
    with serve_app(create_app(disabled_rules=OFF)) as url:
        parts = run_shards(tmp_path, 3, url)
        whole = run_command(
            "run", "--target", url, "--control-hook", MOCK_HOOK, "--report", tmp_path / "whole"
        )
        done = run_command("merge", *parts, "--report", tmp_path / "all")
    assert (done.code, whole.code) == (1, 1), done.err
    reports = [json.loads((tmp_path / name / "report.json").read_text()) for name in ("whole", "all")]
    verdicts = [
        {row["rule"]: (row["verdict"], row["severity"]) for row in report["rules"]} for report in reports
    ]
    assert verdicts[0] == verdicts[1]
    files = [{path.name for path in (tmp_path / name).iterdir()} for name in ("whole", "all")]
    assert files[0] == files[1]
    sent = [json.loads((folder / "traffic.har").read_text())["log"]["entries"] for folder in parts]
    traffic = json.loads((tmp_path / "all" / "traffic.har").read_text())["log"]["entries"]
    assert len(traffic) == sum(map(len, sent)) == reports[1]["requests"]


def test_merging_applies_prerequisites_across_shards(tmp_path: Path) -> None:
    """A rule that depends on one that another shard found broken is inconclusive, not violated."""
    catalogue = load_catalogue()
    states = []
    for number, rule in enumerate(("slug-unique", "slug-immutable"), 1):
        run = Run(
            open_executor(WsgiTarget(create_app())), RunOptions(target="x", layers=(), shard=(number, 2))
        )
        step = Step("updateContainer", expect="refuse")
        run.state.committed.add(
            Observation(Case(rule, rule, "lifecycle", (step,)), Judgement("violated", rule, "wrong"))
        )
        run.state.finished = True
        run.state.save(tmp_path)
        states.append(load_state(tmp_path))
    from contract_tests.runs.checkpoint import merge_states

    alone, together = states[1].build_report(catalogue), merge_states(states).build_report(catalogue)
    assert (map_verdicts(alone)["slug-immutable"][0], map_verdicts(together)["slug-immutable"][0]) == (
        "violated",
        "inconclusive",
    )


Spoil = Callable[[list[Path]], list[Path]]


def edit_second_state(**changes: Any) -> Spoil:
    """Change values in the state of the second shard."""

    def spoil(folders: list[Path]) -> list[Path]:
        path = folders[1] / "state.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
        return folders

    return spoil


def drop_notes(folders: list[Path]) -> list[Path]:
    """Remove a property from the state of the second run."""
    path = folders[1] / "state.json"
    state = json.loads(path.read_text())
    del state["notes"]
    path.write_text(json.dumps(state))
    return folders


UNMERGED: dict[str, tuple[Spoil, str]] = {
    "missing": (lambda folders: folders[:1], "shard 2/2 is missing"),
    "twice": (lambda folders: [*folders, folders[0]], "shard 1/2 is given twice"),
    "other-target": (edit_second_state(target="https://other.example.com"), "the runs differ in target"),
    "other-contract": (edit_second_state(contract="other"), "the runs differ in contract"),
    "other-strictness": (edit_second_state(strict=True), "the runs differ in strict"),
    "other-layers": (edit_second_state(given={"layers": "cases,race"}), "the runs differ in --layers"),
    "other-requests": (
        edit_second_state(given={"layers": "race", "refuse_only": True}),
        "the runs differ in --refuse-only",
    ),
    "other-number": (edit_second_state(shard=[2, 3]), "different numbers of shards"),
    "unfinished": (edit_second_state(finished=False), "has not finished"),
    "another-version": (edit_second_state(format=99), "another version of the kit"),
    "damaged": (edit_second_state(tally=[1]), "state.json: tally: expected object"),
    "incomplete": (drop_notes, "'notes' is a required property"),
    "no-report": (lambda folders: [folders[0], folders[0].parent / "nowhere"], "No such file"),
}


@pytest.fixture(scope="module")
def two_shards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the folders of both shards of a small run."""
    return run_shards(tmp_path_factory.mktemp("shards"), 2, MOCK, "--layers", "race")


@pytest.mark.parametrize("name", UNMERGED)
def test_unrelated_runs_are_not_merged(name: str, two_shards: list[Path], tmp_path: Path) -> None:
    """Runs that do not match, or a missing shard, end with exit code 2 and one line."""
    spoil, says = UNMERGED[name]
    folders = [Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in two_shards]
    done = run_command("merge", *spoil(folders))
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert says in done.err


def test_a_run_is_not_merged_with_itself(tmp_path: Path) -> None:
    """The report of a whole run is not counted twice, not even as a copy under another name."""
    run_command("run", "--target", MOCK, "--layers", "race", "--quiet", "--report", tmp_path / "r1")
    shutil.copytree(tmp_path / "r1", tmp_path / "r2")
    for other in ("r1", "r2"):
        done = run_command("merge", tmp_path / "r1", tmp_path / other)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert "of the same run; name the folder of each run once" in done.err


def test_a_violation_of_an_unknown_rule_is_explained() -> None:
    """Runs that broke a rule of another catalogue are not merged, and not resumed."""
    state = run_faulty_mock(layers=("race",)).state
    state.check_rules(load_catalogue())
    with pytest.raises(ValueError, match="the rule 'slug-unique' was broken, but the contract has none"):
        state.check_rules({})


def test_a_violation_of_no_layer_is_refused(tmp_path: Path) -> None:
    """A state whose violation was seen in no layer is unusable."""
    run_faulty_mock(layers=("race",)).state.save(tmp_path)
    state = json.loads((tmp_path / "state.json").read_text())
    [*state["tally"]["deviations"], *state["pending"]["deviations"]][0]["layers"] = {}
    (tmp_path / "state.json").write_text(json.dumps(state))
    with pytest.raises(ValueError, match="layers: expected minProperties 1"):
        load_state(tmp_path)


def kill_run(folder: Path, url: str, when: Callable[[dict[str, Any]], bool], *options: str) -> dict[str, Any]:
    """Kill a fuzzing run (SIGKILL) once its state meets a condition; return that state."""
    process = subprocess.Popen(
        [*COMMAND, "run", "--target", url, "--time", "60s", "--report", str(folder), "--quiet", *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(3000):
            time.sleep(0.02)
            path = folder / "state.json"
            state: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
            if state and when(state):
                return state
        raise AssertionError("the run never came so far")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_killed_run_resumes_where_it_was(tmp_path: Path) -> None:
    """A resumed run repeats no finished layer or round, and continues its time, counts and options."""
    options = ("--layers", "wire,properties", "--seed", "4", "--min-judged", "0")
    with serve_app(create_app()) as url:
        before = kill_run(tmp_path, url, lambda state: state["rounds"] >= 1, *options)
        done = run_command("run", "--resume", tmp_path, "--target", url, "--time", "1s", "--quiet")
    after = json.loads((tmp_path / "state.json").read_text())
    assert done.code == 0, done.out + done.err
    assert after["layers"]["wire"] == before["layers"]["wire"]
    assert (after["seed"], after["done"][:1]) == (4, ["wire"])
    assert after["rounds"] >= before["rounds"]
    assert after["requests"] > before["requests"]
    assert after["created"] == (tmp_path / "ledger.jsonl").read_text().count('"event": "created"')


def test_run_that_is_killed_in_its_first_round_resumes(tmp_path: Path) -> None:
    """A state is there from the first request of a layer on, so that --resume never asks for a missing file."""
    options = ("--layers", "cases", "--rate", "20/s", "--min-judged", "0")
    with serve_app(create_app()) as url:
        before = kill_run(tmp_path, url, lambda _: True, *options)
        done = run_command("run", "--resume", tmp_path, "--target", url, "--time", "3s", "--rate", "999/s")
    assert (before["done"], before["layers"]) == ([], {})
    assert done.code == 0, done.out + done.err


def test_findings_before_the_kill_are_reported(tmp_path: Path) -> None:
    """A deviation that the target no longer shows is still a finding of the resumed run."""
    mended = tmp_path / "mended"

    def lenient(request: Request, send: Send) -> Response:
        """Accept every replica count until the target is fixed."""
        if mended.exists() or "replica_count" not in request.body:
            return send(request)
        return send(request.setting(replica_count=1))

    folder = tmp_path / "report"
    with serve_app(add_interceptor(create_app(), lenient)) as url:
        kill_run(folder, url, lambda state: bool(state["pending"]["deviations"]), "--layers", "properties")
        mended.touch()
        done = run_command("run", "--resume", folder, "--target", url, "--time", "1s")
    report = json.loads((folder / "report.json").read_text())
    assert done.code == 1, done.out
    assert {f["rule"].startswith("replica-count") for f in report["findings"]} == {True}
    assert all(finding["exchanges"] for finding in report["findings"])


def resume_run(folder: Path, *options: str) -> CommandResult:
    """Resume a run; return the result of the command."""
    return run_command("run", "--resume", folder, "--target", MOCK, *HOOK, *options)


def copy_with_option(folder: Path, tmp_path: Path, name: str, value: object) -> Path:
    """Return a copy of a report folder whose state names another value of an option."""
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    state = json.loads((copy / "state.json").read_text())
    state["given"][name] = value
    (copy / "state.json").write_text(json.dumps(state))
    return copy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("target", "wsgi:tests.contract_tests.runs.test_checkpoint:never"),
        ("target", "http://127.0.0.1:9/api/v1"),
        ("control_hook", "http://127.0.0.1:9/{id}/{status}"),
        ("callers", "/etc/passwd"),
        ("spec", "/etc/passwd"),
        ("waivers", "/etc/passwd"),
    ],
)
def test_a_state_file_names_nothing_alone(
    two_shards: list[Path], tmp_path: Path, name: str, value: str
) -> None:
    """A host, a module or a file that only the state file names is not used; the line says what to give again."""
    copy = copy_with_option(two_shards[0], tmp_path, name, value)
    given = {"target": ("--target", MOCK), "control_hook": HOOK}
    done = run_command(
        "run", "--resume", copy, *(word for key in given if key != name for word in given[key])
    )
    assert (done.code, done.err.count("\n"), done.out) == (2, 1, "")
    assert f"give also: --{name.replace('_', '-')} {shlex.quote(value)}" in done.err


def never() -> None:
    """Fail the test: nothing calls the factory that a state file names."""
    raise AssertionError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("seed", "x"), ("seconds", [1]), ("shard", "5/2"), ("layers", 7), ("min_judged", 2)),
        *(("strict", 1.5), ("traced", -1), ("refuse_only", [[]]), ("max_created", float("inf"))),
    ],
)
def test_a_spoilt_option_of_a_state_file_is_one_line(
    two_shards: list[Path], tmp_path: Path, name: str, value: object
) -> None:
    """A value that the option itself would refuse ends with exit code 2 and one line that names it."""
    copy = copy_with_option(two_shards[0], tmp_path, name, value)
    done = resume_run(copy)
    assert (done.code, done.err.count("\n"), f"state.json: {name}: got" in done.err) == (2, 1, True), done.err


def test_run_that_cannot_be_resumed_is_explained(two_shards: list[Path], tmp_path: Path) -> None:
    """A changed option or a folder without a run ends with exit code 2 and one line."""
    copy = Path(shutil.copytree(two_shards[0], tmp_path / "copy"))
    for options in (("--seed", "9"), ("--layers", "cases"), ("--target", "https://a.example.com/api/v1")):
        done = resume_run(copy, *options)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert f"another {options[0]}" in done.err
    nowhere = resume_run(tmp_path / "nowhere")
    assert (nowhere.code, "No such file" in nowhere.err) == (2, True)


def test_a_run_is_not_merged_into_itself(two_shards: list[Path], tmp_path: Path) -> None:
    """A report folder that is one of the merged runs is refused and stays unchanged."""
    folders = [Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in two_shards]
    before = (folders[0] / "state.json").read_text()
    done = run_command("merge", *folders, "--report", folders[0])
    assert (done.code, "is one of the runs" in done.err) == (2, True)
    assert (folders[0] / "state.json").read_text() == before


def test_resumed_run_keeps_its_report_folder(two_shards: list[Path], tmp_path: Path) -> None:
    """A resumed run refuses another --report folder."""
    copy = Path(shutil.copytree(two_shards[0], tmp_path / "copy"))
    done = resume_run(copy, "--report", str(tmp_path / "other"))
    assert (done.code, "leave --report out" in done.err) == (2, True)


def test_truncated_state_is_reported(two_shards: list[Path], tmp_path: Path) -> None:
    """A truncated state file is reported as such."""
    copy = Path(shutil.copytree(two_shards[0], tmp_path / "copy"))
    (copy / "state.json").write_text((copy / "state.json").read_text()[:500])
    done = resume_run(copy)
    assert (done.code, "only a part of it" in done.err) == (2, True)


def test_finished_run_prints_its_report_again(two_shards: list[Path], tmp_path: Path) -> None:
    """A finished run sends nothing more and keeps its verdicts."""
    copy = Path(shutil.copytree(two_shards[0], tmp_path / "copy"))
    before = json.loads((copy / "report.json").read_text())
    assert resume_run(copy).code == before["exit_code"]
    after = json.loads((copy / "report.json").read_text())
    assert {**after, "seconds": 0} == {**before, "seconds": 0}


def test_waiver_of_a_rule_that_conforms_can_go() -> None:
    """A note names each waiver whose rule conforms; a waiver of a rule that was not judged stays unmentioned."""
    case = Case("c", "slug-unique", "cases", (Step("createContainer", expect="refuse"),))
    seen = Aggregate.of([Observation(case, Judgement("passed", "slug-unique"))])
    waivers = {rule: Waiver(rule, "known", date.max) for rule in ("slug-unique", "team-scope")}
    report = RunState("t", "now", waivers=waivers, committed=seen, notes=("a note",)).build_report(
        load_catalogue()
    )
    assert report.notes == ("a note", "the rule slug-unique conforms; its waiver can go")


def test_a_waiver_of_a_rule_that_is_not_selected_stays() -> None:
    """A run with ``-k`` has only some cases of other rules, and shows nothing about their waivers."""
    case = Case("c", "slug-unique", "cases", (Step("createContainer", expect="refuse"),))
    seen = Aggregate.of([Observation(case, Judgement("passed", "slug-unique"))])
    waivers = {"slug-unique": Waiver("slug-unique", "known", date.max)}
    state = RunState("t", "now", rules=("created-stored",), waivers=waivers, committed=seen)
    assert state.build_report(load_catalogue()).notes == ()
