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

#: A header of the client, since the generated functions pass a UUID to httpx, which accepts text only.
TEAM = {"X-Team-ID": "0192f0c0-1111-7aaa-8bbb-0123456789ab"}
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyLXJlZCJ9.Zml4dHVyZS1yZWQ"


@pytest.fixture(scope="module")
def client_package(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of the generated package."""
    folder = tmp_path_factory.mktemp("client")
    program = Path(sys.executable).parent / "openapi-python-client"
    config = folder / "config.yaml"
    config.write_text("post_hooks: []", encoding="utf-8")
    source = ["--path", ROOT / "spec/openapi.yaml", "--config", config, "--meta", "none"]
    command = [program, "generate", *source, "--output-path", folder / "generated_client"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "Warning" not in result.stdout + result.stderr
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
