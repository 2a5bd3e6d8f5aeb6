"""Callers files and the roles of the callers."""

import json
import re
from pathlib import Path

import pytest

from contract_tests.cases.callers import CallersError, build_caller_pool, load_callers
from contract_tests.contract.resources import data_file

ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445"


def test_every_role_finds_its_caller() -> None:
    """The fixtures' callers fill every role except one that no caller can have."""
    everyone = load_callers(data_file("fixtures/callers.yaml"))
    pool = build_caller_pool(everyone)
    roles = ("sk-red", "sk-blue", "dk-red", "jwt-red", "jwt-both", "ak-red", "red", "blue", "dk-blue")
    found = {role: getattr(pool.find_caller(role), "name", None) for role in roles}
    assert found == {
        "sk-red": "sk-red", "sk-blue": "sk-blue", "dk-red": "dk-red", "jwt-red": "jwt-red",
        "jwt-both": "jwt-both", "ak-red": "ak-red", "red": "sk-red", "blue": "sk-blue", "dk-blue": None,
    }  # fmt: skip


def test_one_token_is_enough(tmp_path: Path) -> None:
    """A single sk- token without a team can act for team red, and its value is never shown."""
    file = tmp_path / "callers.yaml"
    file.write_text("callers: [{kind: sk, token_env: MY_TOKEN}]")
    callers = load_callers(file, {"MY_TOKEN": "sk-secret"})
    found = build_caller_pool(callers).find_caller("red")
    assert found is not None
    assert found.token == "sk-secret"
    assert "sk-secret" not in repr(callers)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("callers: []", "callers: expected minItems 1"),
        ("[]", "expected object"),
        ("{", "not YAML"),
        ("callers: [{kind: root}]", "callers[0].kind: expected one of sk, dk, jwt, ak"),
        ("callers: [{kind: sk}]", "give token_env"),
        ("callers: [{kind: sk, tokn: x}]", "callers[0]: unknown property 'tokn'; did you mean token?"),
        ("callers: [{kind: sk, token_env: NOT_SET}]", "set the variable NOT_SET"),
        (
            "callers: [{kind: sk, token_env: sk-12345678}]",
            "callers[0].token_env: expected a text that matches ^",
        ),
        (
            "callers: [{kind: sk, token_env: A_1}, {kind: dk, token_env: A_2}, {kind: ak, token_env: A_1}]",
            "set the variables A_1, A_2, or remove these callers",
        ),
        ("callers: [{kind: sk, token: Display_Name}]", "a text that reports show anyway"),
        ("callers: [{kind: sk, token: external}]", "a text that reports show anyway"),
        ("callers: [{kind: sk, token: sk-$TOKEN-1}]", "a text that reports show anyway"),
        ("teams: {}\nteams: {}\ncallers: []", "has the key 'teams' twice, again in line 2"),
        ("callers: [{kind: sk, token_file: none.txt}]", "put the token into"),
        (
            "callers: [{kind: sk, token: Bearer sk-12345678}]",
            "the token contains white space; leave out 'Bearer '",
        ),
        ("callers: [{kind: jwt, token: a.b.c}]", "needs `teams`"),
        (
            "callers: [{kind: sk, token: sk-12345, teams: [red]}]",
            "callers[0]: a team is neither under `teams` nor a UUID",
        ),
        ("callers: [{kind: sk, token: sk-12345}, {kind: sk, token: sk-67890}]", "two callers are called sk"),
        (
            "callers: [{kind: sk, token: x-123456}, {kind: dk, token: x-123456}]",
            "sk and dk have the same token",
        ),
        (
            f"teams: {{red: {ID}, blue: {ID.upper()}}}\ncallers: [{{kind: sk, token: sk-12345, teams: [red]}}]",
            "the teams red and blue have the same id",
        ),
        (
            f"callers: [{{kind: sk, token: sk-12345, teams: [{ID}, {ID[:-1]}0]}}]",
            "a key belongs to one team",
        ),
    ],
)
def test_unusable_callers_file_is_explained(tmp_path: Path, text: str, says: str) -> None:
    """An unusable callers file is refused with one line that says how to fix it."""
    file = tmp_path / "callers.yaml"
    file.write_text(text)
    with pytest.raises(CallersError, match=re.escape(says)) as caught:
        load_callers(file, {})
    assert "\n" not in str(caught.value)
    assert "12345678" not in str(caught.value)


def test_unnamed_caller_is_named_after_kind_and_team(tmp_path: Path) -> None:
    """Callers without a name are named after their kind and teams."""
    file = tmp_path / "callers.yaml"
    file.write_text(
        f"teams: {{red: {ID}}}\n"
        "callers: [{kind: sk, token: sk-12345, teams: [red]}, {kind: dk, token: dk-12345, teams: [red]}]"
    )
    assert [caller.name for caller in load_callers(file, {})] == ["sk-red", "dk-red"]


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ("{kind: sk, token: id}", "8 to 8192 characters"),
        (f"{{kind: jwt, teams: [{ID}], token: sk-12345}}", "a token with sk- is not of kind jwt"),
        (
            "{kind: sk, token: eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.c2ln}",
            "the token is a JWT, so its kind is jwt",
        ),
        ("{kind: sk, name: my-sk-12345, token: sk-12345}", "holds the token"),
        ("{kind: sk, token_file: /dev/zero}", "no usable token"),
    ],
    ids=["short", "another-kind", "jwt-as-key", "in-its-name", "without-end"],
)
def test_a_token_that_would_spoil_a_run_is_refused(entry: str, hint: str, tmp_path: Path) -> None:
    """A word, a key of another kind, a token that reports show, and a file without end are one line each."""
    file = tmp_path / "callers.yaml"
    file.write_text(f"callers: [{entry}]")
    with pytest.raises(CallersError, match=hint):
        load_callers(file, {})


@pytest.mark.parametrize("key", ["token_env", "token_file", "kind", "teams"])
def test_a_token_under_another_key_is_not_repeated(tmp_path: Path, key: str) -> None:
    """Who writes the token itself where a name is expected does not find it in a log."""
    entry = {"kind": "sk", key: ["sk-pasted-secret"] if key == "teams" else "sk-pasted-secret"}
    (tmp_path / "callers.yaml").write_text(json.dumps({"callers": [entry]}), "utf-8")
    with pytest.raises(CallersError) as error:
        load_callers(tmp_path / "callers.yaml", {})
    assert "pasted" not in str(error.value)
