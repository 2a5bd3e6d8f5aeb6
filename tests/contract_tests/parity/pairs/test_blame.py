"""The rules and choices that may explain a difference."""

from typing import Any

import pytest

from contract_tests.contract.choices import load_choices
from contract_tests.parity.pairs.blame import Blame
from contract_tests.parity.pairs.compare import Difference, Dimension
from contract_tests.parity.pairs.reading import Reading
from contract_tests.parity.pairs.services import ALL, KnownService
from tests.support.gate.gate import catalogue

BLAME = Blame(catalogue(), load_choices())
CREATE, UPDATE, READ = "createContainer", "updateContainer", "readContainer"


def build(operation: Any = UPDATE, **fields: Any) -> Reading:
    """Return the reading of a request by a deploy key."""
    return Reading(operation, "dk-red", fields.pop("kind", "dk"), "red", **fields)


@pytest.mark.parametrize(
    ("reading", "statuses", "suspects"),
    [
        (build(broken=("exposed-port-range",)), (422, 400), ("invalid-body-status",)),
        (build(broken=("team-required-for-jwt",)), (422, 400), ("team-required-for-jwt",)),
        (build(broken=("body-size",), choices=("largest-body",)), (422, 413), ("too-large-status",)),
        (build(broken=("body-depth",), choices=("largest-body",)), (413, 400),
         ("largest-body", "malformed-body-status")),
        (build(broken=("auth-required", "service-exists")), (404, 401),
         ("check-order", "auth-required", "service-exists", "unauthenticated-status", "unknown-service-status")),
        (build(choices=("null-on-update",)), (422, 400), ("invalid-body-status",)),
        (build(broken=("external-credential-on-external-only",), body={"external_auth_credential_id": "a"}),
         (422, 400), ("external-only-status", "unknown-credentials")),
        (build(concerned=("updated",)), (202, 200), ("updated-status",)),
        (build(CREATE, concerned=("created",)), (200, 201), ("created-status",)),
    ],
)  # fmt: skip
def test_another_status(reading: Reading, statuses: tuple[int, int], suspects: tuple[str, ...]) -> None:
    """The choice of the status with which the broken rule is refused, or the rule if its status is documented."""
    difference = Difference("status", "status", *map(str, statuses))
    assert BLAME.list_suspects(reading, difference, statuses) == suspects


@pytest.mark.parametrize(
    ("reading", "statuses", "rule", "suspects"),
    [
        (build(broken=("exposed-port-range",)), (200, 400), "", ("exposed-port-range",)),
        (build(broken=("auth-known",), choices=("unknown-tokens",)), (200, 401), "", ("unknown-tokens",)),
        (build(broken=("team-uuid",), choices=("empty-team",)), (200, 400), "", ("team-uuid",)),
        (build(choices=("null-on-update",), concerned=("updated",)), (200, 400), "", ("null-on-update",)),
        (build(kind="sk", concerned=("updated",)), (403, 200), "", ("service-keys", "updated")),
        (build(body={}, concerned=("updated",)), (422, 200), "", ("update-partial", "updated")),
        (build(body={}, concerned=("updated",)), (422, 200), "team-optional-for-credentials",
         ("team-optional-for-credentials", "update-partial", "updated")),
        (build(concerned=("exposed-port-type",)), (400, 200), "exposed-port-range",
         ("exposed-port-range", "exposed-port-type")),
        (build(choices=("null-on-update",), concerned=("updated",)), (500, 400), "", ("updated",)),
        (build(broken=("body-text",), choices=("half-surrogates",)), (200, 400), "", ("half-surrogates",)),
        (build(CREATE, concerned=("display-name-type",)), (409, 201), "auth-known", ("slug-unique",)),
        (build(concerned=("display-name-type",)), (200, 409), "auth-known", ("not-while-busy",)),
        (build(CREATE, choices=("unknown-properties",)), (409, 201), "", ("unknown-properties", "slug-unique")),
    ],
)  # fmt: skip
def test_another_reaction(
    reading: Reading, statuses: tuple[int, int], rule: str, suspects: tuple[str, ...]
) -> None:
    """The broken rule or the open point; for a valid request the rule of the case; a server error is no choice.

    A valid request that is refused with 409 conflicts with stored state, unless it touches an open point.
    """
    words = ["error" if status >= 500 else "refused" if status >= 400 else "accepted" for status in statuses]
    assert (
        BLAME.list_suspects(reading, Difference("accepted", "reaction", *words), statuses, rule) == suspects
    )


@pytest.mark.parametrize(
    ("name", "theirs", "suspects"),
    [
        ("é" * 255, "refused", ("display-name-length",)),
        ("😀" * 64, "refused", ("display-name-length",)),
        ("é" * 255, "accepted", ("updated", "display-name-type")),
        ("é" * 99, "refused", ("updated", "display-name-type")),
    ],
    ids=["two-bytes", "four-bytes", "accepted", "short"],
)
def test_a_refused_text_that_is_long_in_bytes(name: str, theirs: str, suspects: tuple[str, ...]) -> None:
    """A deployment that counts bytes refuses a valid long text: that is put down to the length, not to the type."""
    reading = build(body={"display_name": name}, concerned=("updated", "display-name-type"))
    assert (
        BLAME.list_suspects(reading, Difference("accepted", "reaction", theirs, ""), (400, 200)) == suspects
    )


@pytest.mark.parametrize(
    ("dimension", "part", "suspects"),
    [
        ("shape", "env_config", ("absent-values",)),
        ("stored", "exposed_port", ("updated-stored",)),
        ("stored", "health_path", ("update-keeps-omitted", "created-stored")),
        ("stored", "service_desc", ("update-keeps-omitted", "updated-stored")),
        ("stored", "usage_prompt", ("update-keeps-omitted",)),
        ("stored", "external_auth_credential_id", ("external-credential-null-keeps",)),
        ("stored", "gpu_count", ("gpu-count-default",)),
        ("stored", "service_slug", ("slug-immutable",)),
        ("stored", "docker_image", ("unused-docker-image",)),
        ("stored", "required_labels", ("repeated-items",)),
        ("stored", "volume_config", ("unknown-item-properties",)),
        ("stored", "id", ("created",)),
    ],
)
def test_another_read_back(dimension: Dimension, part: str, suspects: tuple[str, ...]) -> None:
    """The last write of the property decides, the updates since then, and the choices about what is shown."""
    service = KnownService("x", "y", "a", "red", "external")
    volumes = [{"host_path": "/a", "container_path": "/b", "mode": "ro"}]
    body = {"health_path": "/", "required_labels": ["a", "a"], "volume_config": volumes}
    service.record_write("create", body, both=True)
    service.record_write("update", {"service_desc": "d"}, both=True)
    nulls = {"usage_prompt": None, "external_auth_credential_id": None}
    service.record_write("update", {"exposed_port": 80} | nulls, both=True)
    found = BLAME.list_suspects(
        build(READ, service=service), Difference(dimension, part, "a", "b"), (200, 200)
    )
    assert found == suspects


def test_the_rule_of_a_case_is_suspected_last() -> None:
    """A case about a null credential may show that its update lost another property."""
    service = KnownService("x", "y", "a", "red", "external")
    service.record_write("create", {"replica_count": 3}, both=True)
    service.record_write("update", {"external_auth_credential_id": None}, both=True)
    found = BLAME.list_suspects(
        build(READ, service=service), Difference("stored", "replica_count", "1", "3"), (200, 200),
        "external-credential-null-keeps",
    )  # fmt: skip
    assert found == ("update-keeps-omitted", "created-stored", "external-credential-null-keeps")


def test_each_choice_about_the_items_of_an_array_is_suspected() -> None:
    """Items may repeat a name and have an unknown property: the differences of other read-backs tell which it is."""
    items = [{"env_name": "A", "env_value": "1"}, {"env_name": "A", "env_value": "2", "extra": 1}]
    service = KnownService("x", "y", "a", "red", "deployed")
    service.record_write("create", {"env_config": items}, both=True)
    found = BLAME.list_suspects(
        build(READ, service=service), Difference("stored", "env_config", "a", "b"), (200, 200)
    )
    assert found == ("repeated-env-names", "unknown-item-properties")


def test_a_read_back_counts_for_each_rule_that_it_could_contradict() -> None:
    """Properties of an earlier difference, and those that a choice decides, count for no rule."""
    service = KnownService("x", "y", "a", "red", "external", parted={"health_path", "gpu_count"})
    service.record_write("create", {"health_path": "/", "required_labels": ["a", "a"]}, both=True)
    service.record_write("update", {"exposed_port": 80}, both=True)
    service.parted |= {"health_path"}
    subjects = BLAME.list_subjects(build(READ, service=service), "accepted")
    assert {"updated-stored", "slug-immutable", "replica-count-default"} <= subjects
    assert not {"update-keeps-omitted", "gpu-count-default", "repeated-items"} & subjects
    service.parted |= {ALL}
    assert BLAME.list_subjects(build(READ, service=service), "accepted") == {"absent-values"}
