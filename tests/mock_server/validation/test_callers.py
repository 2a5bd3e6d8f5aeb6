"""The known callers: `--any-token`, and a callers file."""

from typing import Any

import pytest
from werkzeug.test import Client

from mock_server import create_app
from mock_server.contract.resources import UnusableFileError
from mock_server.validation.callers import load_callers
from tests.support.api import BODY, CREATE, RED, TOKENS

TOKEN_CASES = {
    "sk": ("sk-anything-at-all", {}, 201),
    "dk": ("dk-anything", {}, 201),
    "jwt": ("any.to.ken", {"X-Team-ID": RED}, 201),
    "jwt-any-team": ("any.to.ken", {"X-Team-ID": "0192f0c0-3333-7aaa-8bbb-0123456789ab"}, 201),
    "jwt-without-team": ("any.to.ken", {}, 400),
    "ak": ("ak-anything", {}, 401),
    "malformed": ("not{a}token", {}, 401),
}


@pytest.mark.parametrize(("token", "headers", "status"), TOKEN_CASES.values(), ids=TOKEN_CASES)
def test_any_token_accepts_every_well_formed_token(token: str, headers: dict[str, str], status: int) -> None:
    """A credential gets its own team, a JWT belongs to every team, and an agent key is refused."""
    client = Client(create_app(any_token=True))
    response = client.post(CREATE, json=BODY, headers={"Authorization": f"Bearer {token}", **headers})
    assert response.status_code == status


def test_a_callers_file_has_tokens_in_three_forms(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is in the file, in an environment variable or in another file."""
    monkeypatch.setenv("MY_TOKEN", "sk-from-a-variable")
    (tmp_path / "token").write_text("sk-from-a-file\n", encoding="utf-8")
    callers = [
        {"name": "a", "kind": "sk", "teams": ["t"], "token": "sk-as-it-is"},
        {"name": "b", "kind": "sk", "teams": ["t"], "token_env": "MY_TOKEN"},
        {"name": "c", "kind": "sk", "teams": ["t"], "token_file": str(tmp_path / "token")},
    ]
    client = Client(create_app(callers={"teams": {"t": RED}, "callers": callers}))
    tokens = ["sk-as-it-is", "sk-from-a-variable", "sk-from-a-file", TOKENS["sk-red"]]
    responses = [client.put(f"{CREATE}/x", headers={"Authorization": f"Bearer {token}"}) for token in tokens]
    assert [response.status_code for response in responses] == [400, 400, 400, 401]


A = {"name": "a", "kind": "sk", "teams": ["t"], "token": "sk-of-caller-a"}
WRONG_CALLERS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "unknown-key": ([{**A, "tokens": "x"}], "unknown key 'tokens', expected .*; did you mean token?"),
    "equal-tokens": ([A, {**A, "name": "b"}], "two callers have the same token; give each one its own"),
    "prefix": ([{**A, "kind": "dk"}], "caller 1: a token with the prefix sk- is not of the kind dk"),
    "kind": ([{**A, "kind": "key"}], "kind: expected one of jwt, sk, dk, ak"),
    "team": ([{**A, "teams": ["u"]}], "expected a list of one or more of t"),
    "token-in-token-env": (
        [{"kind": "sk", "teams": ["t"], "token_env": A["token"]}] * 2,
        "token_env: expected the name of a variable such as CYBERUN_SK_RED",
    ),
    "token-in-token-file": (
        [{"kind": "sk", "teams": ["t"], "token_file": A["token"]}],
        "caller 1: token_file: expected a file",
    ),
    "token-file-with-nul": (
        [{"kind": "sk", "teams": ["t"], "token_file": "a\0"}],
        "caller 1: token_file: expected a file",
    ),
    "token-in-kind": ([{**A, "kind": A["token"]}], "caller 1: kind: expected one of jwt, sk, dk, ak"),
    "token-in-teams": ([{**A, "teams": [A["token"]]}], "caller 1: teams: expected a list"),
}


@pytest.mark.parametrize(("callers", "message"), WRONG_CALLERS.values(), ids=WRONG_CALLERS)
def test_a_wrong_entry_of_a_callers_file_is_named(callers: list[dict[str, Any]], message: str) -> None:
    """An entry that would be understood otherwise than it was meant is refused, without its token."""
    with pytest.raises(UnusableFileError, match=message) as error:
        load_callers({"teams": {"t": RED}, "callers": callers})
    assert "of-caller" not in str(error.value)


def test_all_missing_variables_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with three variables, of which two are not set, names both."""
    monkeypatch.setenv("SET", "sk-from-a-variable")
    names = ("NOT_SET_1", "SET", "NOT_SET_2")
    callers = [{"kind": "sk", "teams": ["t"], "token_env": name} for name in names]
    with pytest.raises(
        UnusableFileError, match="set the variables NOT_SET_1, NOT_SET_2, or remove these callers"
    ):
        create_app(callers={"teams": {"t": RED}, "callers": callers})


def test_a_token_of_no_kind_is_told_why_it_needs_a_team() -> None:
    """With any token allowed, one without a prefix counts as a JWT; the refusal says which tokens need no team."""
    client = create_app(any_token=True).test_client()
    response = client.post(CREATE, json=BODY, headers={"Authorization": "Bearer my-token"})
    assert response.json is not None
    (violation,) = response.json["violations"]
    assert (violation["rule"], violation["actual"]) == ("team-required-for-jwt", "no such header")
    assert "every token except an sk- or dk- key" in violation["expected"]
