"""examples/kubernetes, tested without a cluster: schemas, privileges, and the commands that the pods run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from mock_server.cli.main import main
from mock_server.contract.resources import VERSION
from tests.support.fixture_player import ROOT

FOLDER = ROOT / "examples/kubernetes"
PARTS = sorted(path.parent for path in FOLDER.glob("*/kustomization.yaml"))
each_part = pytest.mark.parametrize("part", PARTS, ids=lambda path: path.name)


def read_objects(part: Path) -> list[dict[str, Any]]:
    """Return the objects of the files that a kustomization names."""
    kustomization = yaml.safe_load((part / "kustomization.yaml").read_text("utf-8"))
    return [
        document
        for name in kustomization["resources"]
        for document in yaml.safe_load_all((part / name).read_text("utf-8"))
    ]


def read_pods(part: Path) -> dict[str, dict[str, Any]]:
    """Return the specifications of the pods, by the name of their object."""
    objects = [one for one in read_objects(part) if "template" in one["spec"]]
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in objects}


def read_container(part: str, name: str) -> dict[str, Any]:
    """Return the only container of a pod."""
    (container,) = read_pods(FOLDER / part)[name]["containers"]
    found: dict[str, Any] = container
    return found


@pytest.mark.parametrize("version", ["1.31", "1.37"])
@each_part
def test_the_objects_are_valid(part: Path, version: str) -> None:
    """Each object is valid in an old and a new version of Kubernetes, and has no unknown property."""
    objects = read_objects(part)
    for one in objects:
        kubernetes_validate.validate(one, version, strict=True)
    kinds = {one["kind"] for one in objects}
    assert kinds & {"Job", "Deployment"}


@each_part
def test_the_files_are_those_of_the_kustomization(part: Path) -> None:
    """Each file of the folder is named by its kustomization, whose image has the version of the kit."""
    kustomization = yaml.safe_load((part / "kustomization.yaml").read_text("utf-8"))
    scripts = [name for one in kustomization.get("configMapGenerator", ()) for name in one["files"]]
    names = {"kustomization.yaml", *kustomization["resources"], *scripts}
    assert {path.name for path in part.iterdir()} == names
    assert [image["newTag"] for image in kustomization["images"]] == [VERSION]


@each_part
def test_kustomize_builds_the_objects(part: Path) -> None:
    """The image is replaced everywhere, and the objects that are built are valid."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    built = subprocess.run(
        ["kubectl", "kustomize", str(part)], capture_output=True, text=True, check=True, timeout=60
    )
    for one in yaml.safe_load_all(built.stdout):
        kubernetes_validate.validate(one, "1.37", strict=True)
    assert not re.search(r"image: contract-kit$", built.stdout, re.MULTILINE)


@each_part
def test_a_pod_has_no_privilege_and_bounded_resources(part: Path) -> None:
    """A pod meets the restricted policy, its root file system is read-only, and its CPU and memory have limits."""
    for name, pod in read_pods(part).items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"].keys() == {"cpu", "memory"}, name


def test_the_mock_takes_its_arguments_and_is_probed_on_its_port() -> None:
    """The arguments parse, the store is PostgreSQL, and the probes ask for the path that the image asks for."""
    container = read_container("mock", "mock")
    command, *arguments = container["args"]
    assert command == "mock-server"
    context = main.make_context(command, arguments)
    assert context.params["host"] == "0.0.0.0"
    variables = {one["name"]: one.get("value", "") for one in container["env"]}
    assert variables["MOCK_STORE"].startswith("postgresql://kit:$(DATABASE_PASSWORD)@database/")
    assert container["ports"] == [{"name": "http", "containerPort": context.params["port"]}]
    path = container["readinessProbe"]["httpGet"]["path"]
    assert f"{context.params['port']}{path}" in (ROOT / "Dockerfile").read_text("utf-8")


def test_the_connections_of_the_replicas_fit_into_the_database() -> None:
    """Each replica has one worker with 8 connections; PostgreSQL allows 97 by default, besides the reserved ones."""
    (deployment,) = (one for one in read_objects(FOLDER / "mock") if one["kind"] == "Deployment")
    assert "--workers" not in read_container("mock", "mock")["args"]
    assert deployment["spec"]["replicas"] * 8 <= 97


def run_pod(container: dict[str, Any], cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command of a container with its variables; its script is that of the folder."""
    own = {one["name"]: one["value"] for one in container["env"]}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [part.replace("/script/", f"{FOLDER / 'fuzz'}/") for part in container["command"]]
    return subprocess.run(
        command, env={**os.environ, **own, "PATH": path, **variables},
        cwd=cwd, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_shards_are_merged_into_one_report(tmp_path: Path) -> None:
    """The commands of the pods run every shard of a faulty target, continue one, and merge all into a verdict."""
    (tmp_path / "faulty.py").write_text(
        "from mock_server import create_app\n\n"
        "def app():\n    return create_app(disabled_rules={'exposed-port-range'})\n"
    )
    job = next(one for one in read_objects(FOLDER / "fuzz") if one["kind"] == "Job")["spec"]
    shard = read_container("fuzz", "fuzz")
    own = {one["name"]: one["value"] for one in shard["env"]}
    assert str(job["completions"]) == own["SHARDS"]
    given = {"PYTHONPATH": str(tmp_path), "REPORTS": str(tmp_path), "TARGET": "wsgi:faulty:app"}
    given |= {"EXAMPLE_DB": str(tmp_path / "db"), "OPTIONS": "-k exposed-port --layers cases", "SHARDS": "2"}
    states = []
    for index in ("0", "1", "1"):  # the last pod finds the finished run of another, and sends nothing
        done = run_pod(shard, tmp_path, JOB_COMPLETION_INDEX=index, **given)
        assert done.returncode == 0, done.stderr
        states.append((tmp_path / f"shard-{index}/state.json").read_bytes())
    assert states[1] == states[2]
    merged = run_pod(read_container("merge", "merge"), tmp_path, **given)
    assert merged.returncode == 1, merged.stderr
    assert "VIOLATED" in merged.stdout
    assert (tmp_path / "merged/report.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(("target", "code"), [("nonsense", 2), ("http://127.0.0.1:9/api/v1", 3)])
def test_a_shard_without_a_verdict_fails(target: str, code: int, tmp_path: Path) -> None:
    """The pod ends with the code of the gate, so that a usage error ends the job and a lost target is tried again."""
    given = {"JOB_COMPLETION_INDEX": "0", "REPORTS": str(tmp_path), "TARGET": target}
    shard = run_pod(read_container("fuzz", "fuzz"), tmp_path, **given, EXAMPLE_DB=str(tmp_path / "db"))
    assert shard.returncode == code, shard.stderr
