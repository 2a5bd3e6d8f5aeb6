"""Recorded calls that break under a new contract."""

import copy
import json
from typing import Any

import pytest

from contract_tests.evolution.files import evolution_to_json
from contract_tests.evolution.report import EvolutionReport
from contract_tests.evolution.traffic import Traffic, play_recording
from contract_tests.results.recorded.recording import Recording
from tests.contract_tests.evolution.conftest import MOCK, PLAIN, change_schemas, open_comparison

ID, OTHER_ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445", "0192f0c1-9a8b-7c6d-9e5f-404142434446"
TEAM = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
DEPLOYED = {"service_slug": "a-slug", "display_name": "a", "docker_image": "n"}
SECRETS = ("sk-recorded-secret", "recorded-api-key")


def build_entry(method: str, path: str, body: Any, status: int, **headers: str) -> dict[str, Any]:
    """Build an entry of a recording, with an id in each success."""
    sent = {"Authorization": f"Bearer {SECRETS[0]}", "X-Api-Key": SECRETS[1], ":authority": "host", **headers}
    answer = {"id": path.rpartition("/")[2] if method == "PUT" else ID}
    return {
        "time": 5,
        "request": {
            "method": method,
            "url": f"https://host.example.com/v9{path}",
            "headers": [{"name": name, "value": value} for name, value in sent.items()],
            "postData": {"text": json.dumps(body)},
        },
        "response": {"status": status, "headers": [], "content": {"text": json.dumps(answer)}},
    }


def play(entries: list[dict[str, Any]], new: dict[str, Any]) -> Traffic:
    """Play a recording on the packaged contract and another one."""
    return play_recording(open_comparison(PLAIN, new), Recording(entries))


NEW = change_schemas(lambda schemas: schemas["ExposedPort"].update(maximum=9000))


def test_calls_that_the_new_contract_refuses_break() -> None:
    """The calls with a port above the new maximum break, each kind once with all its numbers and its change."""
    port = {"exposed_port": 9500}
    found = play(
        [
            build_entry("POST", "/containers", DEPLOYED, 201),
            build_entry("POST", "/containers", {**DEPLOYED, **port}, 201),
            build_entry("PUT", f"/containers/{ID}", port, 200),
            build_entry("PUT", f"/containers/{ID}", {"exposed_port": 80}, 200),
            build_entry("PUT", f"/containers/{ID}", port, 200),
        ],
        NEW,
    )
    assert (found.played, found.left_out) == (5, {})
    assert [(c.numbers, [f"{e.operation} {e.pointer}" for e in c.changes]) for c in found.broken] == [
        ((2,), ["createContainer /body/properties/exposed_port"]),
        ((3, 5), ["updateContainer /body/properties/exposed_port"]),
    ]


@pytest.mark.parametrize("known", [True, False], ids=["created in the recording", "only updated"])
def test_updates_are_played_on_a_service_of_their_type(known: bool) -> None:
    """An update of an external service follows the create of one, whether the recording shows its create or not."""
    url = {"external_url": "https://a.example.com/v1"}
    created = build_entry("POST", "/containers", {**DEPLOYED, **url, "service_type": "external"}, 201)
    update = build_entry("PUT", f"/containers/{ID}", url, 200)
    new = change_schemas(lambda schemas: schemas["ExternalUrl"].update(maxLength=20))
    found = play([created, update] if known else [update], new)
    assert [call.numbers for call in found.broken] == ([(1,), (2,)] if known else [(1,)])


def test_calls_of_an_operation_that_is_moved_break() -> None:
    """A recorded create goes to its old path, while the update after a create by the player does not break."""
    new = copy.deepcopy(PLAIN)
    new["paths"]["/services"] = new["paths"].pop("/containers")
    create = build_entry("POST", "/containers", DEPLOYED, 201)
    found = play([create, build_entry("PUT", f"/containers/{ID}", {"exposed_port": 80}, 200)], new)
    assert (found.played, [(call.numbers, call.changes[0].text) for call in found.broken]) == (
        2,
        [((1,), "POST /containers is now POST /services")],
    )


def test_a_user_session_acts_for_a_team_of_its_own() -> None:
    """A call of a user session is played by one of the fixtures, whose team takes the place of the recorded one."""
    token = {"Authorization": "Bearer aaa.bbb.ccc", "X-Team-ID": TEAM}
    entry = build_entry("POST", "/containers", {**DEPLOYED, "exposed_port": 9500}, 201, **token)
    found = play([entry], NEW)
    assert [call.witness.exchanges[0][-1].caller for call in found.broken] == ["jwt-red"]


def test_calls_that_show_nothing_are_counted() -> None:
    """Refused, cut and unplayable calls are left out, each with its reason; other operations do not count."""
    cut = build_entry("POST", "/containers", DEPLOYED, 201)
    cut["request"]["bodySize"] = 5000
    found = play(
        [
            build_entry("POST", "/containers", {}, 400),
            cut,
            build_entry("PUT", f"/containers/{OTHER_ID}", {"exposed_port": "80"}, 200),
            build_entry("GET", "/r/containers/a-slug", None, 200),
        ],
        NEW,
    )
    assert (found.played, found.broken) == (0, ())
    assert found.left_out == {
        "the recording shows no success": 1,
        "the recording has only a part of the request": 1,
        "the old contract refuses it here": 1,
    }


def test_a_report_holds_no_recorded_secret() -> None:
    """Neither the token nor a secret header of a recording is sent or reported."""
    body = {**DEPLOYED, "exposed_port": 9500, "service_desc": f"uses {SECRETS[1]}"}
    found = play([build_entry("POST", "/containers", body, 201)], NEW)
    text = json.dumps(evolution_to_json(EvolutionReport("a", "b", MOCK, 0, 1, True, (), found)))
    assert "$TOKEN" in text
    assert not [secret for secret in SECRETS if secret in text]
