"""The commands and files in docs/ci.md and docs/scaling.md work as shown."""

import re
import shutil
from pathlib import Path

import pytest

from contract_tests.cases.callers import load_callers
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.waivers import load_waivers
from tests.support.docs import list_blocks, read_page, run_block
from tests.support.fixture_player import ROOT

pytestmark = pytest.mark.slow

CI = read_page("docs/ci.md")
YAML = list_blocks(CI, "yaml")


def test_the_files_of_the_ci_page_can_be_used(tmp_path: Path) -> None:
    """The callers file and the waivers file in docs/ci.md load as shown."""
    callers, waivers = tmp_path / "callers.yaml", tmp_path / "waivers.yaml"
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "jwt-red.txt").write_text("head.body.mark\n")
    callers.write_text(next(block for block in YAML if "token_env" in block))
    waivers.write_text(next(block for block in YAML if "reason:" in block))
    named = load_callers(callers, {"CYBERUN_SK_RED": "sk-red-123", "CYBERUN_SK_BLUE": "sk-blue-123"})
    assert [caller.name for caller in named] == ["sk-red", "sk-blue", "jwt-red"]
    assert list(load_waivers(waivers, load_catalogue())) == ["slug-unique"]


def list_section_blocks(heading: str) -> list[str]:
    """Return the blocks of a section of docs/ci.md, first those with commands."""
    section = CI.split(f"## {heading}\n")[1].split("\n## ")[0]
    return list_blocks(section, "sh") + list_blocks(section, "")


def test_the_comparison_of_the_ci_page_prints_what_it_shows(tmp_path: Path) -> None:
    """The commands in docs/ci.md print the lines that it shows, and end with exit code 1."""
    block, shown = list_section_blocks("When the contract changes")
    shutil.copytree(ROOT / "spec", tmp_path / "spec")
    done = run_block(block, tmp_path)
    assert done.returncode == 1, done.stderr
    assert shown in done.stdout
    assert done.stdout.splitlines()[-1].startswith("BREAKS CLIENTS: 2 breaking, 2 relaxed; ")


def test_the_baseline_of_the_ci_page_fails_on_the_new_fault_only(tmp_path: Path) -> None:
    """The commands print the lines that the page shows: known, then new; the comparison ends with 1."""
    block, verdicts, compared = list_section_blocks("Fail only on what is new")
    told = r"\g<0> && echo code 0 || echo code $?"
    done = run_block(re.sub(r"^contract-tests .*", told, block, flags=re.MULTILINE), tmp_path)
    assert re.findall(r"^code (\d)$", done.stdout, re.MULTILINE) == ["1", "0", "1", "1"], done.stderr
    for line in (*verdicts.splitlines(), *compared.splitlines()):
        assert f"\n{line}" in done.stdout, (line, done.stdout)
    assert "\nnote: the targets differ: wsgi:builds:first, then wsgi:builds:second\n" in done.stdout


def test_the_profile_of_the_ci_page_is_departed_from(tmp_path: Path) -> None:
    """The command prints the note that the page shows, and ends with 0; with --strict it ends with 1."""
    block, shown = list_section_blocks("When a deployment departs from its profile")
    done = run_block(block, tmp_path)
    assert done.returncode == 0, done.stderr
    assert shown.strip() in done.stdout
    assert run_block(f"{block.strip()} --strict", tmp_path).returncode == 1


SCALING = list_blocks(read_page("docs/scaling.md"), "sh")


@pytest.mark.parametrize("block", SCALING, ids=["cores", "machines", "long"])
def test_the_commands_for_scale_work(block: str, tmp_path: Path) -> None:
    """Each block of docs/scaling.md runs as shown, and its last command reports that the mock conforms."""
    done = run_block(block.replace("-n auto", "-n 2"), tmp_path, TARGET="wsgi:mock_server:create_app")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CONFORMS" in done.stdout.strip().splitlines()[-2 if "passed" in done.stdout else -1]
