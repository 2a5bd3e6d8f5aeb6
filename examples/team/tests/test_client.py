import pytest
from team_client import InvalidServiceError, SlugTakenError

SERVICE = ("weather", "Weather", "nginx:1.27")


def test_a_service_is_created_and_changed(client, containers_mock):
    """An update changes what the create stored, and nothing is refused."""
    service_id = client.create(*SERVICE, exposed_port=8000)
    assert client.update(service_id, replica_count=2) == service_id
    (stored,) = containers_mock.services
    assert (stored["service_slug"], stored["exposed_port"], stored["replica_count"]) == ("weather", 8000, 2)
    containers_mock.requests.assert_not_called(status=422)


def test_a_taken_slug_is_an_error_of_its_own(client, containers_mock):
    """The second create of a slug raises SlugTakenError, and stores nothing."""
    client.create(*SERVICE)
    with pytest.raises(SlugTakenError):
        client.create(*SERVICE)
    assert len(containers_mock.services) == 1


def test_an_invalid_port_is_refused_as_staging_does(client, containers_mock):
    """The mock with the profile refuses an invalid port with 422, as staging does."""
    with pytest.raises(InvalidServiceError):
        client.create(*SERVICE, exposed_port=0)
    containers_mock.requests.assert_called_once(rule="exposed-port-range", status=422)


def test_a_busy_deployment_is_asked_again(client, containers_mock):
    """Two responses of 503 are followed by a third try, which succeeds."""
    containers_mock.fail_next(status=503, times=2, headers={"Retry-After": "0"})
    client.create(*SERVICE)
    containers_mock.requests.assert_called(2, status=503)


def test_a_client_gives_up_at_last(client, containers_mock):
    """After three responses of 503 the client raises."""
    containers_mock.fail_next(status=503, times=3, headers={"Retry-After": "0"})
    with pytest.raises(RuntimeError, match="503"):
        client.create(*SERVICE)
