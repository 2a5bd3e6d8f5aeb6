"""Two responses compared."""

import json
from typing import Any

import pytest

from contract_tests.parity.pairs.compare import Difference, compare_reads, compare_writes
from contract_tests.parity.pairs.services import ALL, KnownService
from contract_tests.targets.base import Response

SEVEN, FOUR = "0192f0c1-9a8b-7c6d-9e5f-404142434445", "0192f0c1-9a8b-4c6d-9e5f-404142434445"


def response(status: int, value: Any = None, media_type: str = "application/json") -> Response:
    """Return a response with a JSON body, or without a body."""
    body = b"" if value is None else json.dumps(value).encode()
    return Response(status, (("Content-Type", media_type),), body, 0.0)


CREATED = response(201, {"id": SEVEN})


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        (CREATED, response(201, {"id": SEVEN}), []),
        (response(200, {"id": SEVEN}), CREATED, [("status", "status", "200", "201")]),
        (response(201, {"id": FOUR}), CREATED, [("shape", "id version", "4", "7")]),
        (response(201, {"id": SEVEN.upper()}), CREATED, [("shape", "id case", "upper", "lower")]),
        (response(201, {"id": SEVEN, "a": 1}), CREATED, [("shape", "more properties", "present", "absent")]),
        (response(201, {"id": "one"}), CREATED, [("shape", "id", "no UUID", "a UUID")]),
        (response(201, [1]), CREATED, [("shape", "id", "no JSON object", "a UUID")]),
        (response(422, {}), response(422, {"a": "other words"}), []),
        (response(422, {}, "application/problem+json; charset=utf-8"), response(422, {}),
         [("shape", "body", "application/problem+json", "application/json")]),
        (response(400), response(400, {}), [("shape", "body", "empty", "application/json")]),
        (response(409, {}), response(400, {}), [("status", "status", "409", "400")]),
    ],
)  # fmt: skip
def test_status_and_shape_of_a_write(theirs: Response, ours: Response, expected: list[Any]) -> None:
    """Words of a refusal and values of properties beside the id are not compared."""
    found = compare_writes(theirs, ours, None)
    assert [*found.differences] == [Difference(*one) for one in expected]
    assert found.dimensions == {"accepted", "status", "shape"}


@pytest.mark.parametrize(
    ("status", "name"), [(400, "refused (400)"), (500, "error (500)"), (302, "error (302)")]
)
def test_a_refusal_and_a_success_differ_in_reaction_and_status(status: int, name: str) -> None:
    """Their shapes are not compared; a server error is no refusal."""
    found = compare_writes(response(status), CREATED, None)
    assert found.dimensions == {"accepted", "status"}
    assert [(one.dimension, one.theirs, one.ours) for one in found.differences] == [
        ("accepted", name, "accepted (201)"),
        ("status", name, "accepted (201)"),
    ]


def test_an_update_must_have_the_id_of_its_service() -> None:
    """Each side has an id of its own; that of another service differs."""
    service = KnownService(SEVEN, FOUR, "a", "red", "deployed")
    ours = response(200, {"id": FOUR})
    assert not compare_writes(response(200, {"id": SEVEN}), ours, service).differs_in("accepted")
    found = compare_writes(response(200, {"id": FOUR}), ours, service)
    assert ("id", "that of another service") in [(one.part, one.theirs) for one in found.differences]


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ({"exposed_port": 80}, {"exposed_port": 80.0}, []),
        ({"exposed_port": 80}, {"exposed_port": 81}, [("stored", "exposed_port", "80", "81")]),
        ({"exposed_port": 1}, {"exposed_port": True}, [("stored", "exposed_port", "1", "true")]),
        ({"health_path": ""}, {}, [("shape", "health_path", '""', "absent")]),
        ({"health_path": "a" * 300}, {"health_path": "b"},
         [("stored", "health_path", f'"{"a" * 119}… (300 characters)', '"b"')]),
        ({"env_config": []}, {"env_config": None}, [("shape", "env_config", "[]", "null")]),
        ({"volume_config": [{"host_path": "/a", "more": 1}]}, {"volume_config": [{"host_path": "/a"}]}, []),
        ({"required_labels": ["a"]}, {}, [("stored", "required_labels", '["a"]', "absent")]),
        ({"display_name": "b"}, {"display_name": "c"}, []),
        ({"updated_at": 1, "status": "x"}, {"updated_at": 2}, []),
        ({"external_auth_credential_id": SEVEN.upper()}, {"external_auth_credential_id": SEVEN}, []),
        ({"external_url": None, "docker_image": None}, {}, [("shape", "docker_image", "null", "absent")]),
        ({"external_url": "https://a.io"}, {}, [("stored", "external_url", '"https://a.io"', "absent")]),
    ],
)  # fmt: skip
def test_the_values_of_a_read_back(theirs: Any, ours: Any, expected: list[Any]) -> None:
    """Values of the contract's properties are compared, and shown as JSON; not those that have parted before.

    Further properties are not compared, those of an item neither: a server may store what it accepts and ignores.
    """
    service = KnownService(SEVEN, FOUR, "a", "red", "deployed", parted={"display_name"})
    found = compare_reads(
        response(200, {"id": SEVEN, **theirs}), response(200, {"id": FOUR, **ours}), service
    )
    assert [*found.differences] == [Difference(*one) for one in expected]


def test_a_service_that_only_one_shows_is_a_difference() -> None:
    """Two refusals show nothing, and so does a service that has parted as a whole."""
    service = KnownService(SEVEN, FOUR, "a", "red", "deployed")
    shown, refused = response(200, {"id": SEVEN}), response(404)
    assert compare_reads(shown, refused, service).differs_in("stored")
    assert compare_reads(refused, refused, service).dimensions == frozenset()
    service.parted = {ALL}
    assert compare_reads(shown, refused, service).dimensions == frozenset()
