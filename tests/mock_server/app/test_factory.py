"""Apps: each has its own state, and the control plane is optional."""

from werkzeug.test import Client

from mock_server import create_app
from tests.support.api import BODY, CREATE, auth


def test_the_control_plane_is_optional() -> None:
    """Without the control plane, /_mock/ has no paths."""
    client = Client(create_app(control=False))
    assert {client.get(f"/_mock/{path}").status_code for path in ("health", "services", "journal")} == {404}


def test_apps_share_nothing() -> None:
    """Two apps have separate services and journals."""
    first, second = Client(create_app()), Client(create_app())
    statuses = [
        client.post(CREATE, json=BODY, headers=auth()).status_code for client in (first, second, first)
    ]
    assert statuses == [201, 201, 409]
    assert second.get("/_mock/journal").json["count"] == 1
