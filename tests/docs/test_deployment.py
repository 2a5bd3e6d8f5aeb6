"""The examples that name a deployment work as shown when a mock with their callers stands in for it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.collector import collector
from tests.support.docs import list_blocks, read_page, run_block
from tests.support.fixture_player import ROOT
from tests.support.processes import mock_server, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CI = read_page("docs/ci.md")
TOKENS = {
    f"CYBERUN_{name}": f"{name[:2].lower()}-{name.lower().replace('_', '-')}-0123456789"
    for name in ("SK_RED", "SK_BLUE", "DK_RED", "AK_RED")
} | {f"CYBERUN_{name}": f"head.{name.lower()}.mark" for name in ("JWT_RED", "JWT_BOTH")}
#: The addresses of deployments in the documentation.
_DEPLOYMENT = re.compile(r"https://(?:host|staging\.example\.com)/api/v1")


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve a mock that knows the callers of `mock-server callers --env`; yield its URL."""
    for name, token in TOKENS.items():
        monkeypatch.setenv(name, token)
    callers = run("callers", "--env").stdout
    (tmp_path / "ci").mkdir()
    for path in ("callers.yaml", "ci/callers.yaml"):
        (tmp_path / path).write_text(callers, "utf-8")
    with mock_server("--callers", str(tmp_path / "callers.yaml"), stderr=subprocess.DEVNULL) as mock:
        yield mock.url


def judge(block: str, url: str, folder: Path, **variables: str) -> str:
    """Run a block against the deployment, which must conform; return what it prints."""
    done = run_block(_DEPLOYMENT.sub(url, block), folder, timeout=300, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CONFORMS in " in done.stdout
    return done.stdout


def find_block(page: str, language: str, first: str) -> str:
    """Return the only block of a language that begins so."""
    (block,) = [block for block in list_blocks(read_page(page), language) if block.startswith(first)]
    return block


def test_the_readme_judges_a_deployment(deployment: str, tmp_path: Path) -> None:
    """Each command of the section about the gate finds that the deployment conforms."""
    (tmp_path / "callers.yaml").unlink()
    block = find_block("README.md", "sh", "mock-server callers --env")
    printed = judge(block, deployment, tmp_path)
    assert printed.count("CONFORMS in ") == 3
    assert (tmp_path / "report" / "report.html").is_file()


def test_the_step_for_github_judges_a_deployment(deployment: str, tmp_path: Path) -> None:
    """The composite action has each input of the example, and its script judges the deployment with them."""
    *_, step = yaml.safe_load(find_block("docs/ci.md", "yaml", "jobs:"))["jobs"]["contract"]["steps"]
    action = yaml.safe_load((ROOT / ".github/actions/conformance/action.yml").read_text("utf-8"))
    assert step["uses"].partition("@")[0].endswith("/.github/actions/conformance")
    values = {name: each["default"] for name, each in action["inputs"].items()} | step["with"]
    assert {*values} == {*action["inputs"]}
    (script,) = [each for each in action["runs"]["steps"] if each.get("name") == "Judge the deployment"]
    inputs = {
        name: values[expression.split("inputs.")[1].removesuffix(" }}")]
        for name, expression in script["env"].items()
    }
    commands = tmp_path / "contract-kit" / "bin"
    commands.mkdir(parents=True)
    (commands / "contract-tests").symlink_to(Path(sys.executable).with_name("contract-tests"))
    summary = tmp_path / "summary.md"
    runner = {"RUNNER_TEMP": str(tmp_path), "GITHUB_STEP_SUMMARY": str(summary)}
    judge(script["run"], deployment, tmp_path, **{**inputs, "TARGET": deployment, **runner})
    assert summary.read_text("utf-8").startswith("## ✅ CONFORMS")


def test_the_script_for_gitlab_judges_a_deployment(deployment: str, tmp_path: Path) -> None:
    """The command after the install writes the two reports that GitLab gets."""
    job = yaml.safe_load(find_block("docs/ci.md", "yaml", "contract:"))["contract"]
    install, command = job["script"]
    assert install.startswith("pip install ")
    judge(command, deployment, tmp_path, STAGING_URL=deployment)
    assert all((tmp_path / path).is_file() for path in job["artifacts"]["reports"].values())


def test_the_shell_of_a_checkout_judges_a_deployment(deployment: str, tmp_path: Path) -> None:
    """After the install, the command with the path of a checkout writes the reports."""
    install, command = find_block("docs/ci.md", "sh", "make install").splitlines()
    assert install == "make install"
    judge(command.removeprefix(".venv/bin/"), deployment, tmp_path)
    assert (tmp_path / "report" / "junit.xml").is_file()


def test_a_deployment_is_judged_with_spans(deployment: str, tmp_path: Path) -> None:
    """The variable names the collector, which gets the spans of the run."""
    block = find_block("docs/ci.md", "sh", "export OTEL_")
    with collector() as (address, bodies):
        judge(block.replace("http://collector:4318", address), deployment, tmp_path)
    assert b"contract.case" in b"".join(bodies)


def test_the_jobs_for_many_machines_reach_one_verdict(tmp_path: Path) -> None:
    """Four shards, one after another, and the merging job judge a deployment; here each fuzzes as a gate does."""
    jobs = yaml.safe_load(find_block("docs/scaling.md", "yaml", "jobs:"))["jobs"]
    fuzz, verdict = (
        [step["run"] for step in jobs[job]["steps"] if "contract-tests" in step.get("run", "")]
        for job in ("fuzz", "verdict")
    )
    for shard in jobs["fuzz"]["strategy"]["matrix"]["shard"]:
        line = fuzz[0].replace("${{ matrix.shard }}", str(shard)).replace(" --time 20m", "")
        done = run_block(line, tmp_path, TARGET="wsgi:mock_server:create_app")
        assert done.returncode == 0, done.stdout + done.stderr
        (tmp_path / "shard").rename(tmp_path / f"shard-{shard}")  # what the two artifact actions do
    judge(verdict[0], "", tmp_path)
    assert (tmp_path / "report" / "report.html").is_file()


def test_the_commands_for_mutants_work(tmp_path: Path) -> None:
    """Mutants of a rule and planted faults are killed, and a list runs none; CI runs all by `make mutants`."""
    commands, planted = list_blocks(read_page("docs/mutate.md"), "sh")
    one, listed, _ = commands.splitlines()
    killed = run_block(one, tmp_path)
    assert killed.returncode == 0, killed.stdout + killed.stderr
    assert re.search(r"mutants: [1-9]\d* killed", killed.stdout), killed.stdout
    shown = run_block(listed, tmp_path)
    assert shown.returncode == 0
    assert "nullable" in shown.stdout
    assert "killed" not in shown.stdout
    found = run_block(planted, tmp_path)
    assert "2 mutants: 2 killed" in found.stdout, found.stdout + found.stderr
