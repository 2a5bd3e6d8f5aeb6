"""A client generated from the contract by a public generator works against the mock."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mock_server import create_app
from tests.support.clients import serving
from tests.support.fixture_player import ROOT

#: As a header of the client: the generated functions hand a UUID to httpx, which takes text only.
TEAM = {"X-Team-ID": "0192f0c0-1111-7aaa-8bbb-0123456789ab"}
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyLXJlZCJ9.Zml4dHVyZS1yZWQ"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of the generated package."""
    folder = tmp_path_factory.mktemp("client")
    program = Path(sys.executable).parent / "openapi-python-client"
    config = folder / "config.yaml"
    config.write_text("post_hooks: []", encoding="utf-8")
    source = ["--path", ROOT / "spec/openapi.yaml", "--config", config, "--meta", "none"]
    command = [program, "generate", *source, "--output-path", folder / "generated_client"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "Warning" not in done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    return "generated_client"


def _module(package: str, name: str) -> Any:
    return importlib.import_module(f"{package}.{name}")


def test_the_client_creates_and_updates_a_service(generated: str) -> None:
    """Its models are sent, its answers are parsed, and a refusal is a problem document of its own type."""
    create = _module(generated, "api.container_services.create_container")
    update = _module(generated, "api.container_services.update_container")
    models = _module(generated, "models")
    with serving(create_app()) as port:
        client = _module(generated, "client").AuthenticatedClient(
            f"http://127.0.0.1:{port}/api/v1", JWT, headers=TEAM
        )
        body = models.ServiceCreate(service_slug="generated", display_name="d", docker_image="nginx:1.27")
        with client as opened:
            made = create.sync(client=opened, body=body)
            again = create.sync_detailed(client=opened, body=body)
            change = models.ServiceUpdate(display_name="Renamed", external_auth_credential_id=None)
            changed = update.sync(made.id, client=opened, body=change)
    assert isinstance(made, models.CreatedResource)
    assert changed == models.UpdatedResource(id=made.id)
    assert (again.status_code, again.parsed.violations[0].rule) == (409, "slug-unique")
