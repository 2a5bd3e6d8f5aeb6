"""What a user gives the command: mistakes end with 2 and one line, and the options do what they say."""

import json
import zlib
from pathlib import Path

import pytest

from contract_tests.cases.callers import load_callers
from contract_tests.contract.resources import data_file
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.runs.options import RunOptions
from contract_tests.runs.run import Run
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.gate import GATE, MOCK_HOOK, describe_findings, judge_app, rules_with
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.odd_servers import run_command, serve_app
from tests.support.gate.planting import add_interceptor
from tests.support.sampling import keep_first

pytestmark = pytest.mark.slow

MOCK = "wsgi:mock_server:create_app"
CALLERS = load_callers(data_file("fixtures/callers.yaml"))
TEAM = "0192f0c0-1111-7aaa-8bbb-0123456789ab"

MISTAKES = {
    "no-callers-file": (("--callers", "nowhere.yaml"), "nowhere.yaml: No such file"),
    "callers-not-yaml": (("--callers", "broken.yaml"), "broken.yaml is not YAML"),
    "callers-no-list": (("--callers", "empty.yaml"), "'callers' is a required property"),
    "callers-unknown-kind": (("--callers", "kind.yaml"), "callers[0].kind: expected one of sk, dk, jwt, ak"),
    "callers-unknown-team": (("--callers", "team.yaml"), "neither under `teams` nor a UUID"),
    "callers-no-token": (("--callers", "unset.yaml"), "set the variable NO_SUCH_TOKEN"),
    "callers-a-folder": (("--callers", "."), ".: Is a directory"),
    "waivers-not-a-list": (("--waivers", "empty.yaml"), "expected array"),
    "waivers-unknown-rule": (("--waivers", "rule.yaml"), "unknown rule 'slug-uniq'"),
    "waivers-no-day": (("--waivers", "day.yaml"), "is not a date such as"),
    "waivers-no-file": (("--waivers", "nowhere.yaml"), "nowhere.yaml: No such file"),
    "no-such-rule": (("-k", "no-such-rule"), "no rule id contains this; `mock-server rules` lists them"),
    "empty-rules": (("-k", ","), "-k ,: it names no rule; `mock-server rules` lists them"),
    "misspelt-rule": (("-k", "slug-uniqe"), "no rule id contains this; did you mean slug-unique?"),
    "misspelt-rule-of-two": (
        ("-k", "exposed-port,slug-uniqe"),
        "-k slug-uniqe: no rule id contains this; did you",
    ),
    "unknown-layer": (("--layers", "cases,fuzz"), "fuzz: the layers are cases, wire"),
    "no-shard": (("--shard", "3/2"), "is not a shard such as 1/4"),
    "no-time": (("--time", "soon"), "is not a time such as"),
    "no-rate": (("--rate", "0"), "is not a rate such as"),
    "no-prefix": (("--slug-prefix", "Upper"), "cannot start a slug"),
    "no-hook": (("--control-hook", "/status/{id}"), "needs {id} and {status}"),
    "report-at-a-file": (("--report", "broken.yaml"), "broken.yaml"),
    "spec-no-file": (("--spec", "nowhere.yaml"), "nowhere.yaml"),
    "bad-url": (("--target", "core.example.com/api"), "is not the base URL of an API"),
    "url-with-a-query": (
        ("--target", "https://a.example.com/api?key=1"),
        "'https://a.example.com/api?…' is not the base URL",
    ),
    "no-module": (("--target", "wsgi:no_such_module:app"), "No module named"),
    "no-factory": (("--target", "wsgi:mock_server:nothing"), "give wsgi:module:factory"),
}
FILES = {
    "broken.yaml": "callers: [",
    "empty.yaml": "{}",
    "kind.yaml": "callers: [{kind: admin, token: x}]",
    "team.yaml": "callers: [{kind: jwt, teams: [green], token: x}]",
    "unset.yaml": "callers: [{kind: sk, token_env: NO_SUCH_TOKEN}]",
    "rule.yaml": "[{rule: slug-uniq, reason: none, until: 2030-01-01}]",
    "day.yaml": "[{rule: slug-unique, reason: none, until: soon}]",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files that cannot be used."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_ends_with_one_line(name: str, folder: Path) -> None:
    """Exit code 2, and the last line on stderr says what is wrong and with what."""
    options, says = MISTAKES[name]
    target = () if "--target" in options else ("--target", MOCK)
    done = run_command("run", *target, *options, cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert says in done.err.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("until", "code", "says"),
    [("2020-01-31", 1, "expired"), ("2999-12-31", 0, "waived")],
    ids=["expired", "valid"],
)
def test_a_waiver(folder: Path, until: str, code: int, says: str) -> None:
    """A waived rule does not fail the run until the waiver has expired; then it does, and says so."""
    waivers = folder / "waivers.yaml"
    waivers.write_text(f"[{{rule: slug-unique, reason: known, until: {until}}}]", "utf-8")
    with serve_app(create_app(disabled_rules={"slug-unique"})) as url:
        done = run_command("run", "--target", url, "--layers", "lifecycle", "--waivers", waivers)
    assert done.code == code, done.out + done.err
    assert says in done.out.lower()


def test_an_expired_waiver_fails_a_right_target(folder: Path) -> None:
    """A waiver that nobody needs any more is to be removed once it has expired: no rule is called violated."""
    waivers = folder / "waivers.yaml"
    waivers.write_text("[{rule: slug-unique, reason: known, until: 2020-01-31}]", "utf-8")
    done = run_command("run", "--target", MOCK, "-k", "slug-unique", "--waivers", waivers)
    assert done.code == 1
    assert "WAIVER EXPIRED for 1 rule: 1 conforms" in done.out
    assert "next: remove these waivers, or give them a later day: slug-unique" in done.err


def played(shard: tuple[int, int]) -> list[str]:
    """The ids of the cases that a shard plays, but for random traces and what is played again."""
    player = open_executor(WsgiTarget(create_app()), options=ExecutorOptions(control_hook=MOCK_HOOK))
    run, ids = Run(player, RunOptions(layers=GATE, shard=shard)), []
    record = run.recorder.add
    run.recorder.add = lambda seen, **more: (ids.append(seen.case.id), record(seen, **more))[1]  # type: ignore[method-assign]
    assert run.execute().exit_code == 0
    return [name for name in ids if not name.startswith("trace/random-")]


def test_shards_together_play_everything() -> None:
    """Each case belongs to one shard, and no case to none."""
    count = 3
    shards = [set(played((number, count))) for number in range(1, count + 1)]
    assert set.union(*shards) == set(played((1, 1)))
    assert sum(map(len, shards)) == len(set.union(*shards))
    for number, shard in enumerate(shards):
        assert {zlib.crc32(case.encode()) % count for case in shard} == {number}


def test_the_rate_holds() -> None:
    """With --rate 50/s no second sees more than 50 requests, one of the rounding aside."""
    times: list[float] = []

    def timed(request: Request, send: Send) -> Response:
        import time

        times.append(time.monotonic())
        return send(request)

    with serve_app(add_interceptor(create_app(), timed)) as url:
        done = run_command("run", "--target", url, "-k", "exposed-port", "--rate", "50/s", "--quiet")
    assert done.code == 0, done.out + done.err
    assert len(times) > 40
    assert all(sum(start <= other < start + 1 for other in times) <= 53 for start in times)


# --- whoever there is

ALONE = {
    "sk": [c for c in CALLERS if c.name == "sk-red"],
    "dk": [c for c in CALLERS if c.name == "dk-red"],
    "jwt-of-one-team": [c for c in CALLERS if c.name == "jwt-red"],
    "jwt-of-two-teams": [c for c in CALLERS if c.name == "jwt-both"],
    "both-jwts": [c for c in CALLERS if c.kind == "jwt"],
    "sk-and-ak": [c for c in CALLERS if c.name in ("sk-red", "ak-red")],
    "two-sks": [c for c in CALLERS if c.kind == "sk"],
    "sk-and-jwt-of-two-teams": [c for c in CALLERS if c.name in ("sk-red", "jwt-both")],
    "sk-blue-and-jwt-of-two-teams": [c for c in CALLERS if c.name in ("sk-blue", "jwt-both")],
}
#: What nobody else can show.
NEEDED = {
    "auth-agent": "ak",
    "team-required-for-jwt": "jwt",
    "team-uuid": "jwt",
    "team-optional-for-credentials": "sk dk",
    "team-ignored-for-credentials": "sk dk",
}


@pytest.mark.parametrize("name", keep_first(2, ALONE))
def test_some_callers_alone_raise_no_alarm(name: str) -> None:
    """Whoever is missing, nothing right is called broken; what only they could show is not observed."""
    report = judge_app(create_app(), callers=ALONE[name])
    assert report.exit_code == 0, describe_findings(report)
    kinds = {caller.kind for caller in ALONE[name]}
    missing = {rule for rule, needs in NEEDED.items() if not kinds & set(needs.split())}
    assert missing <= rules_with(report, "not observed")
    assert rules_with(report, "not observed") <= missing | {"team-member", "team-scope", "auth-agent"}
    assert rules_with(report, "inconclusive") == set()


@pytest.mark.parametrize("teams", [f"[{TEAM}]", "[]"], ids=["team-named", "team-unknown"])
def test_one_service_key_is_enough_to_start(tmp_path: Path, teams: str) -> None:
    """One sk- token in a file: a run that ends green, with the rules that it could not see."""
    file = tmp_path / "callers.yaml"
    (tmp_path / "token").write_text(f"{CALLERS[0].token}\n", "utf-8")
    file.write_text(f"callers: [{{name: me, kind: sk, teams: {teams}, token_file: token}}]", "utf-8")
    with serve_app(create_app()) as url:
        done = run_command(
            "run", "--target", url, "--callers", file, "--strict", "--report", tmp_path / "report"
        )
    assert done.code == 0, done.out + done.err
    assert "needs a JWT caller; add one to the callers file" in done.out
    rows = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert rows


def test_several_parts_of_ids_are_one_option() -> None:
    """-k takes a list as --layers does, and runs the rules of each part."""
    target = ("--target", MOCK, "--layers", "cases", "--quiet")
    done = run_command("run", *target, "-k", "slug-required,usage-prompt")
    assert (done.code, "CONFORMS in 2 of 2 rules" in done.out) == (0, True)
