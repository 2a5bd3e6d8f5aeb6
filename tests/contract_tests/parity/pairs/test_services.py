"""The ids of the deployment and of the mock."""

import pytest

from contract_tests.parity.pairs.services import ALL, KnownService, Services
from contract_tests.targets.base import Request

THEIRS, OURS = "0192F0C1-AAAA-7C6D-9E5F-404142434445", "0192f0c1-bbbb-7c6d-9e5f-404142434445"


@pytest.fixture
def services() -> Services:
    """Return a service with an upper-case id in the deployment, and another id in the mock."""
    known = Services()
    known.add(KnownService(THEIRS, OURS, "a-slug", "red", "deployed"))
    return known


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/containers/{THEIRS}", f"/containers/{OURS}"),
        (f"/containers/{THEIRS.lower()}", f"/containers/{OURS}"),
        (f"/containers/{THEIRS}x", f"/containers/{OURS}x"),
        (f"/containers/%20{THEIRS}", f"/containers/%20{OURS}"),
        ("/containers/0192f0c1-cccc-7c6d-9e5f-404142434445", "/containers/0192f0c1-cccc-7c6d-9e5f-404142434445"),
        ("/containers/not-a-uuid", "/containers/not-a-uuid"),
    ],
)  # fmt: skip
def test_ids_in_a_path_become_those_of_the_mock(services: Services, path: str, expected: str) -> None:
    """Known ids are translated wherever they stand; unknown ones stay."""
    assert services.translate(Request("PUT", path)).path == expected


def test_an_id_keeps_the_letter_case_in_which_a_case_writes_it() -> None:
    """A lower-case id that is sent in upper case reaches the mock in upper case."""
    services = Services()
    services.add(KnownService(THEIRS.lower(), OURS, "a-slug", "red", "deployed"))
    assert services.translate(Request("PUT", f"/containers/{THEIRS}")).path == f"/containers/{OURS.upper()}"


def test_ids_in_a_body_become_those_of_the_mock(services: Services) -> None:
    """A body may name a service; the rest of it stays as it is, also what is not UTF-8."""
    sent = Request("PUT", "/containers/x", (), b'\xff{"id": "' + THEIRS.encode() + b'"}')
    assert services.translate(sent).body == b'\xff{"id": "' + OURS.encode() + b'"}'


def test_an_id_that_is_no_uuid_is_translated() -> None:
    """A deployment with wrong ids is compared all the same."""
    services = Services()
    services.add(KnownService("svc/1", OURS, "a-slug", "red", "deployed"))
    assert services.translate(Request("PUT", "/containers/svc%2F1")).path == f"/containers/{OURS}"


def test_properties_of_a_write_that_one_refused_have_parted_until_both_accept_them() -> None:
    """What one of the two may have stored alone is not compared; a later value of both is."""
    service = KnownService(THEIRS, OURS, "a-slug", "red", "deployed")
    service.record_write("update", {"exposed_port": 0, "health_path": "/"}, both=False)
    assert service.parted == {"exposed_port", "health_path"}
    service.record_write("update", {"exposed_port": 80}, both=True)
    assert service.parted == {"health_path"}
    assert (service.updates, service.values, ALL in service.parted) == (1, {"exposed_port": 80}, False)
