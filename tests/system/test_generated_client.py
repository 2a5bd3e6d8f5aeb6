"""A client that a public generator makes from the contract works with the mock."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mock_server import create_app
from tests.support.clients import serving
from tests.support.fixture_player import ROOT
from tests.support.processes import run

#: A header of the client, since the generated functions pass a UUID to httpx, which accepts text only.
TEAM = {"X-Team-ID": "0192f0c0-1111-7aaa-8bbb-0123456789ab"}
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyLXJlZCJ9.Zml4dHVyZS1yZWQ"


def generate(document: Path, package: Path) -> None:
    """Generate a package from a document, without a warning."""
    program = Path(sys.executable).parent / "openapi-python-client"
    config = package.parent / "config.yaml"
    config.write_text("post_hooks: []", encoding="utf-8")
    source = ["--path", document, "--config", config, "--meta", "none"]
    command = [program, "generate", *source, "--output-path", package]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "Warning" not in result.stdout + result.stderr


@pytest.fixture(scope="module")
def client_package(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of the generated package."""
    folder = tmp_path_factory.mktemp("client")
    generate(ROOT / "spec/openapi.yaml", folder / "generated_client")
    sys.path.insert(0, str(folder))
    return "generated_client"


def import_module_of(package: str, name: str) -> Any:
    """Import a module of the generated package."""
    return importlib.import_module(f"{package}.{name}")


def test_the_client_creates_and_updates_a_service(client_package: str) -> None:
    """The client sends its models, parses responses, and has a type for problem documents."""
    create = import_module_of(client_package, "api.container_services.create_container")
    update = import_module_of(client_package, "api.container_services.update_container")
    models = import_module_of(client_package, "models")
    with serving(create_app()) as port:
        client = import_module_of(client_package, "client").AuthenticatedClient(
            f"http://127.0.0.1:{port}/api/v1", JWT, headers=TEAM
        )
        body = models.ServiceCreate(service_slug="generated", display_name="d", docker_image="nginx:1.27")
        with client as open_client:
            resource = create.sync(client=open_client, body=body)
            conflict = create.sync_detailed(client=open_client, body=body)
            change = models.ServiceUpdate(display_name="Renamed", external_auth_credential_id=None)
            update_result = update.sync(resource.id, client=open_client, body=change)
    assert isinstance(resource, models.CreatedResource)
    assert update_result == models.UpdatedResource(id=resource.id)
    assert (conflict.status_code, conflict.parsed.violations[0].rule) == (409, "slug-unique")


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--openapi", "3.0"], ["--one-of"]], ids=" ".join)
def test_the_models_of_a_view_have_the_names_of_its_components(arguments: list[str], tmp_path: Path) -> None:
    """A generator makes one model for each object and enum of the view, and no numbered ones."""
    view = tmp_path / "view.yaml"
    view.write_text(run("spec", *arguments).stdout, encoding="utf-8")
    generate(view, tmp_path / "generated_view")
    models = {path.stem for path in (tmp_path / "generated_view/models").glob("[a-z]*.py")}
    assert models == {
        "created_resource",
        "deployed_service_create",
        "deployed_service_type",
        "env_config_item",
        "external_service_create",
        "external_service_type",
        "problem",
        "service_type",
        "service_update",
        "updated_resource",
        "violation",
        "volume_config_item",
    }
