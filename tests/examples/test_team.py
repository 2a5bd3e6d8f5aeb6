"""The made-up team of examples/team works from the wheel, by its own README."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from contract_tests.contract.resources import data_file
from contract_tests.contract.waivers import load_waivers
from contract_tests.results.comparison import load_report
from mock_server.contract.choices import load_choices
from mock_server.contract.loader import load_rules
from mock_server.contract.profile import load_profile
from tests.support.fixture_player import ROOT
from tests.support.processes import mock_server

TEAM = ROOT / "examples" / "team"
README = (TEAM / "README.md").read_text("utf-8")
INSTALL_AND_TEST, SERVE, JUDGE, KEEP = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """Return a copy of the team's repository, outside of this checkout."""
    return Path(shutil.copytree(TEAM, tmp_path / "team", ignore=shutil.ignore_patterns("contract-report")))


def install_beside(wheel: Path, folder: Path) -> dict[str, str]:
    """Install the wheel alone, with the dependencies of this environment; return what finds it first."""
    site = folder / "site"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True, timeout=120)
    path = os.pathsep.join((str(site / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]))
    return {"PYTHONPATH": str(site), "PATH": path}


def install_fresh(wheel: Path, folder: Path) -> dict[str, str]:
    """Install the wheel and its dependencies into a new environment, from the configured index."""
    subprocess.run([sys.executable, "-m", "venv", folder / "fresh"], check=True, timeout=120)
    pip = [folder / "fresh/bin/pip", "install", "--quiet", "-c", ROOT / "constraints.txt", "pytest", wheel]
    subprocess.run(pip, check=True, capture_output=True, timeout=280)
    return {"PATH": f"{folder / 'fresh/bin'}{os.pathsep}{os.environ['PATH']}"}


def run_block(block: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a shell block of the README in the team's repository."""
    done = subprocess.run(["sh", "-ec", block], cwd=folder, env={**os.environ, **environment}, text=True,
                          capture_output=True, timeout=150, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.parametrize(
    "install",
    [
        pytest.param(install_beside, marks=pytest.mark.slow),
        pytest.param(install_fresh, marks=[pytest.mark.exhaustive, pytest.mark.timeout(600)]),
    ],
)
def test_the_readme_of_the_team_works_from_the_wheel(
    install: Callable[[Path, Path], dict[str, str]], wheel: Path, team: Path, tmp_path: Path
) -> None:
    """Its tests pass, the gate conforms with one rule waived and nothing new, and a new baseline is kept."""
    environment = install(wheel, tmp_path)
    where = "python -c 'import contract_tests; print(contract_tests.__file__)'"
    assert str(tmp_path) in run_block(where, team, environment).stdout
    tested = run_block(INSTALL_AND_TEST.partition("\n")[2], team, environment)
    assert "5 passed" in tested.stdout
    serve = SERVE.split()
    assert (serve[0], serve[-2:]) == ("mock-server", ["--port", "4010"])
    with mock_server(*serve[1:-2], cwd=team, stderr=subprocess.DEVNULL) as staging:
        judge = JUDGE.replace("http://127.0.0.1:4010/api/v1", staging.url)
        done = run_block(judge, team, environment)
    assert "1 waived" in done.stdout.splitlines()[-1]
    assert re.search(r"^Compared with ci.baseline.json of .*: 2 still broken$", done.stdout, re.MULTILINE)
    assert (team / "contract-report" / "report.sarif").is_file()
    run_block(KEEP, team, environment)
    assert json.loads((team / "ci/baseline.json").read_text("utf-8"))["target"] == staging.url


def test_the_files_of_the_team_can_be_used() -> None:
    """The waiver is of a rule and has not expired; the mock takes the profile, and the gate the baseline."""
    rules = load_rules(data_file("spec/rules.yaml"))
    waivers = load_waivers(TEAM / "ci/waivers.yaml", rules)  # type: ignore[arg-type]
    assert {name: waiver.expired for name, waiver in waivers.items()} == {"replica-count-range": False}
    assert load_profile(TEAM / "ci/staging-profile.yaml", load_choices(), rules)["created-status"] == 200
    baseline = load_report(TEAM / "ci/baseline.json")
    assert {known.key.rule for known in baseline.findings if not known.is_choice} == {"replica-count-range"}


def test_the_workflow_of_the_team_passes_inputs_that_the_action_has() -> None:
    """The action has each input and output that the workflow uses, and the configuration the named target."""
    text = (TEAM / ".github/workflows/contract.yml").read_text("utf-8")
    steps = yaml.safe_load(text)["jobs"]["staging"]["steps"]
    (gate,) = [step for step in steps if step.get("id") == "gate"]
    action = yaml.safe_load((ROOT / ".github/actions/conformance/action.yml").read_text("utf-8"))
    assert gate["with"].keys() <= action["inputs"].keys()
    assert set(re.findall(r"steps\.gate\.outputs\.(\w+)", text)) <= action["outputs"].keys()
    assert f"[targets.{gate['with']['environment']}]" in (TEAM / "contract-tests.toml").read_text("utf-8")
    variables = re.findall(r"token_env: (\w+)", (TEAM / "ci/callers.yaml").read_text("utf-8"))
    assert {*variables, "STAGING_URL"} == gate["env"].keys()
