"""Callers files and the roles of the callers."""

from pathlib import Path

import pytest

from contract_tests.cases.callers import CallersError, build_caller_pool, load_callers
from contract_tests.contract.resources import data_file

ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445"


def test_each_part_is_played_by_who_can() -> None:
    """The callers of the fixtures fill every part, and a part that nobody can play is empty."""
    everyone = load_callers(data_file("fixtures/callers.yaml"))
    parts = build_caller_pool(everyone)
    roles = ("sk-red", "sk-blue", "dk-red", "jwt-red", "jwt-both", "ak-red", "red", "blue", "dk-blue")
    played = {role: getattr(parts.find_caller(role), "name", None) for role in roles}
    assert played == {
        "sk-red": "sk-red", "sk-blue": "sk-blue", "dk-red": "dk-red", "jwt-red": "jwt-red",
        "jwt-both": "jwt-both", "ak-red": "ak-red", "red": "sk-red", "blue": "sk-blue", "dk-blue": None,
    }  # fmt: skip


def test_one_token_alone_is_enough(tmp_path: Path) -> None:
    """A single sk- token with no team named can play for team red, and its value is not shown."""
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
        ("callers: []", "names no caller"),
        ("[]", "no list `callers`"),
        ("{", "not YAML"),
        ("callers: [{kind: root}]", "needs a kind"),
        ("callers: [{kind: sk}]", "give token_env"),
        ("callers: [{kind: sk, token_env: NOT_SET}]", "set the variable NOT_SET"),
        ("callers: [{kind: sk, token_file: none.txt}]", "put the token into"),
        ("callers: [{kind: jwt, token: a.b.c}]", "needs `teams`"),
        ("callers: [{kind: sk, token: a, teams: [red]}]", "neither under `teams` nor a UUID"),
        ("callers: [{kind: sk, token: a}, {kind: sk, token: b}]", "two callers are called sk"),
        ("callers: [{kind: sk, token: a}, {kind: dk, token: a}]", "sk and dk have the same token"),
    ],
)
def test_a_callers_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, says: str) -> None:
    """A callers file that cannot be used is refused in one line that says what to do."""
    file = tmp_path / "callers.yaml"
    file.write_text(text)
    with pytest.raises(CallersError, match=says) as caught:
        load_callers(file, {})
    assert "\n" not in str(caught.value)


def test_a_caller_without_a_name_is_called_after_its_kind_and_team(tmp_path: Path) -> None:
    """Callers that are not named are told apart by their kind and teams."""
    file = tmp_path / "callers.yaml"
    file.write_text(
        f"teams: {{red: {ID}}}\ncallers: [{{kind: sk, token: a, teams: [red]}}, {{kind: dk, token: b, teams: [red]}}]"
    )
    assert [caller.name for caller in load_callers(file, {})] == ["sk-red", "dk-red"]
