"""The composite action: its script for the comment, and its step that judges, run as GitHub would."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract_tests.reports.code_hosts.formats import FORMAT_FILES
from tests.support.fixture_player import ROOT

ACTION = ROOT / ".github" / "actions" / "conformance"
#: Stands for gh: keeps comments in a file, answers a list of them, and stores what is posted.
FAKE_GH = """#!{python}
import json, os, sys
path = os.environ["COMMENTS"]
comments = json.load(open(path))
arguments = sys.argv[2:]
url = next(a for a in arguments if a.startswith("repos/"))
assert url.startswith("repos/team/client/issues/"), url
if "--jq" in arguments:
    found = [c["id"] for c in comments if c["body"].startswith(os.environ["MARKER"])]
    print("\\n".join(map(str, found)))
else:
    body = open(next(a for a in arguments if a.startswith("body=@"))[6:], encoding="utf-8").read()
    if "PATCH" in arguments:
        next(c for c in comments if c["id"] == int(url.rsplit("/", 1)[1]))["body"] = body
    else:
        assert url.endswith("issues/7/comments"), url
        comments.append({{"id": len(comments) + 1, "body": body}})
    json.dump(comments, open(path, "w"))
"""


def read_step(name: str) -> dict[str, Any]:
    """Return a step of the action by its name."""
    steps = yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))["runs"]["steps"]
    found: dict[str, Any] = next(step for step in steps if step.get("name") == name)
    return found


@pytest.mark.slow
def test_the_comment_is_posted_once_and_then_updated(tmp_path: Path) -> None:
    """A second report on the same target replaces the first; one on another target is another comment."""
    comments, gh = tmp_path / "comments.json", tmp_path / "gh"
    comments.write_text('[{"id": 1, "body": "a comment of somebody"}]', "utf-8")
    gh.write_text(FAKE_GH.format(python=sys.executable), "utf-8")
    gh.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "COMMENTS": str(comments),
        "GITHUB_REPOSITORY": "team/client", "PULL_REQUEST": "7",
    }  # fmt: skip
    for text in (
        "<!-- contract-tests aa -->\nfirst",
        "<!-- contract-tests aa -->\nsecond",
        "<!-- b -->\nthird",
    ):
        file = tmp_path / "comment.md"
        file.write_text(text, "utf-8")
        subprocess.run([ACTION / "comment.sh", file], env=environment, check=True, timeout=30)
    bodies = [comment["body"] for comment in json.loads(comments.read_text("utf-8"))]
    assert bodies == ["a comment of somebody", "<!-- contract-tests aa -->\nsecond", "<!-- b -->\nthird"]


@pytest.mark.slow
@pytest.mark.parametrize("configured", [False, True], ids=["target", "configuration"])
def test_the_step_judges_the_target(configured: bool, tmp_path: Path) -> None:
    """The step writes every report and the summary, prints annotations, and ends with the code of the run."""
    step = read_step("Judge the deployment")
    kit = tmp_path / "contract-kit" / "bin"
    kit.mkdir(parents=True)
    (kit / "contract-tests").symlink_to(Path(sys.executable).with_name("contract-tests"))
    (tmp_path / "faulty.py").write_text(
        "from mock_server import create_app\n\n"
        "def app():\n    return create_app(disabled_rules={'exposed-port-range'})\n"
    )
    (tmp_path / "contract-tests.toml").write_text('[targets.own]\ntarget = "wsgi:faulty:app"\n')
    summary = tmp_path / "summary.md"
    inputs = {"TARGET": "" if configured else "wsgi:faulty:app", "ENVIRONMENT": "own" if configured else ""}
    environment = {
        **os.environ, **inputs, "CALLERS": "", "REPORT": "out", "ANNOTATIONS": "true", "PYTHONPATH": str(tmp_path),
        "ARGS": "--layers cases -k exposed-port", "RUNNER_TEMP": str(tmp_path), "GITHUB_STEP_SUMMARY": str(summary),
    }  # fmt: skip
    assert {*step["env"]} <= {*environment}
    done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], cwd=tmp_path,
                          env=environment, capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "\n::error file=spec/openapi.yaml,line=" in done.stdout
    assert summary.read_text("utf-8").startswith("## ❌ VIOLATED")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {FORMAT_FILES[name] for name in ("sarif", "github", "comment")} <= names
