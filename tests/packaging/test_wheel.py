"""The wheel has the expected files and nothing else, and works beside other packages."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.fixture_player import ROOT
from tests.support.processes import mock_server, post

NAME = "cyberun_contract_kit"
HEADERS = {"Authorization": "Bearer sk-red-5f0c7c1e9a", "Content-Type": "application/json"}


def list_sources(folder: str, inside: str) -> set[str]:
    """Return the names that the files of a folder have in the wheel."""
    files = (
        path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    return {f"{inside}/{path.relative_to(ROOT / folder).as_posix()}" for path in files} - {
        f"{NAME}_data/fixtures/README.md"
    }


def test_the_wheel_holds_the_two_packages_and_one_folder_of_data(wheel: Path) -> None:
    """The wheel installs no top-level name that is not ours."""
    info = f"{NAME}-{wheel.name.split('-')[1]}.dist-info"
    expected = {
        *list_sources("mock_server", "mock_server"),
        *list_sources("contract_tests", "contract_tests"),
        *list_sources("spec", f"{NAME}_data/spec"),
        *list_sources("fixtures", f"{NAME}_data/fixtures"),
        *(
            f"{info}/{name}"
            for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
        ),
    }
    assert set(zipfile.ZipFile(wheel).namelist()) == expected


@pytest.mark.slow
def test_the_installed_mock_serves_beside_other_packages(wheel: Path, tmp_path: Path) -> None:
    """Packages named spec and fixtures are not changed, and the mock reads its own data."""
    site = tmp_path / "site"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True, timeout=120)
    for name in ("spec", "fixtures"):
        (site / name).mkdir()
        (site / name / "__init__.py").write_text("OTHERS = True\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(site)}
    program = "import spec, fixtures, mock_server; print(spec.OTHERS, fixtures.OTHERS, mock_server.__file__)"
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == ["True", "True", str(site / "mock_server/__init__.py")]
    with mock_server(cwd=tmp_path, env=environment) as mock:
        body = b'{"service_slug": "abc", "display_name": "d", "docker_image": "n"}'
        assert post(f"{mock.url}/containers", body, HEADERS) == 201
