"""The commands of a case of several requests."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.execution.race import build_race_cases
from contract_tests.results.observation import reproduction_cost
from contract_tests.results.reproduction.commands import list_commands
from contract_tests.targets.base import Request, Response
from contract_tests.targets.exchange import Exchange, Redactor


def record(
    method: str, path: str, body: object = None, status: int = 200, new: str = "", caller: str = "sk-red"
) -> Exchange:
    """Record a request whose response names an id."""
    raw = None if body is None else json.dumps(body).encode()
    headers = (("Authorization", "Bearer sk-secret"), ("Content-Type", "application/json"))
    response = Response(status, (), json.dumps({"id": new}).encode(), 0.1)
    return Redactor(["sk-secret"]).record_exchange(
        caller, "http://h", Request(method, path, headers, raw), response
    )


CREATE = record("POST", "/containers", {"service_slug": "ck-1"}, 201, "0192")


def test_later_commands_use_the_new_service() -> None:
    """The create gets a new slug and keeps the id of the new service; the update and the read-back name both."""
    exchanges = [CREATE, record("PUT", "/containers/0192", {}), record("GET", "/r/containers/ck-1")]
    case = Case("c", "updated", "lifecycle", (Step(), Step("updateContainer"), Step("readContainer")))
    slug, create, update, read = list_commands("f", case, exchanges, None)
    assert slug == 'SLUG="ck-1-$(date +%s)"'
    assert create.startswith("ID=$(curl -s -X POST ")
    assert """'{"service_slug": "'"$SLUG"'"}'""" in create
    assert """ http://h/containers/"$ID" """ in update
    assert """ http://h/r/containers/"$SLUG" """ in read


def test_similar_slugs_stay_similar() -> None:
    """A slug that contains the slug of another create has the same new part."""
    near = record("POST", "/containers", {"service_slug": "ck-1-x"}, 201, "0193")
    case = Case("c", "slug-unique", "lifecycle", (Step(), Step()))
    lines = list_commands("f", case, [CREATE, near], None)
    assert len([line for line in lines if line.startswith("SLUG")]) == 1
    assert """"$SLUG"'-x"}'""" in lines[-1]


def test_the_slug_of_an_update_is_fresh_too() -> None:
    """A target that lets an update take another slug has that one by now, and refuses it the next time."""
    update = record("PUT", "/containers/0192", {"service_slug": "other"})
    case = Case("c", "slug-immutable", "lifecycle", (Step(), Step("updateContainer", expect="refuse")))
    _, second, _, line = list_commands("f", case, [CREATE, update], None)
    assert second == 'SLUG2="other-$(date +%s)"'
    assert """'{"service_slug": "'"$SLUG2"'"}'""" in line


@pytest.mark.parametrize("colon", [": ", " : "])
def test_the_first_id_of_a_response_is_that_of_the_service(colon: str) -> None:
    """The commands read the id where a later part of the response has one, and with the blanks of Jackson."""
    case = Case("c", "updated", "lifecycle", (Step(), Step("updateContainer")))
    create = list_commands("f", case, [CREATE, record("PUT", "/containers/0192", {})], None)[1]
    read = create.partition(" | ")[2].partition(")  # ")[0]
    response = f'{{"id"{colon}"0192", "service_slug": "ck-1",\n "team": {{"id":"7"}}}}'
    done = subprocess.run(["sh", "-c", read], input=response, capture_output=True, text=True, check=True)
    assert done.stdout == "0192\n"


def test_a_valid_slug_under_test_stays() -> None:
    """A valid slug that is refused wrongly is sent again as it is: another one may be accepted."""
    case = Case("c", "service-slug-pattern", "cases", (Step(),))
    (line,) = list_commands("f", case, [CREATE], None)
    assert """'{"service_slug": "ck-1"}'""" in line


@pytest.mark.parametrize(
    ("slug", "sent"),
    [
        ("Upper-case", "U1700000000pper-case"),
        ("a `b` $c", "a1700000000 `b` $c"),
        ("a" * 101, "a" + "1700000000" + "a" * 90),
        (8080, 1700000000),
    ],
    ids=["pattern", "shell", "too-long", "number"],
)
def test_an_invalid_slug_is_new_each_time_and_keeps_its_fault(slug: object, sent: object) -> None:
    """A target may have stored the slug that it accepted wrongly, so the command sends another one with its fault."""
    create = record("POST", "/containers", {"service_slug": slug}, 201, "0192")
    case = Case("c", "service-slug-pattern", "cases", (Step(expect="refuse"),))
    (line,) = list_commands("f", case, [create], None)
    script = (
        line.partition("  # ")[0].replace("curl ", "printf '%s\\n' ").replace("$(date +%s)", "1700000000")
    )
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert json.loads(shown.splitlines()[-1]) == {"service_slug": sent}


def test_a_status_that_a_hook_set_is_a_comment() -> None:
    """Without the status, the update is accepted by a deployment that conforms, too."""
    steps = (Step(), Step("setStatus", status="deploying"), Step("updateContainer", expect="refuse"))
    exchanges = [CREATE, record("PUT", "/containers/0192", {})]
    lines = list_commands("f", Case("c", "not-while-busy", "lifecycle", steps), exchanges, None)
    comment = "# now set the status of the service to deploying, as --control-hook does"
    assert [line.startswith("ID=$(curl") for line in lines] == [False, True, False, False]
    assert (lines[2], lines[3][:14]) == (comment, "curl -i -X PUT")


def test_a_slug_of_the_greatest_length_gets_a_fresh_one_of_the_same_length() -> None:
    """The recorded slug is taken, and nothing can follow it: the time takes the place of some characters."""
    slug = "ck-" + "0123456789abcdefg" * 5 + "a93z" * 3
    exchanges = [
        record("POST", "/containers", {"service_slug": slug}, 201, "0192"),
        record("GET", f"/r/containers/{slug}"),
    ]
    case = Case("c", "created-stored", "lifecycle", (Step(), Step("readContainer")))
    variable, create, read = list_commands("f", case, exchanges, None)
    assert (len(slug), variable) == (100, f'SLUG="ck-$(date +%s){slug[13:]}"')
    assert """'{"service_slug": "'"$SLUG"'"}'""" in create
    assert """ http://h/r/containers/"$SLUG" """ in read


def test_long_slugs_that_would_become_equal_stay() -> None:
    """Two slugs that differ only where the time would stand are two slugs in the commands, too."""
    slugs = ["ck-" + start + "a" * 87 for start in ("0123456789", "9876543210")]
    creates = [record("POST", "/containers", {"service_slug": slug}, 201, slug[3:]) for slug in slugs]
    case = Case("c", "slug-unique", "lifecycle", (Step(), Step()))
    lines = list_commands("f", case, creates, None)
    assert [slug in line for slug, line in zip(slugs, lines, strict=True)] == [True, True]


def test_a_service_of_many_cases_is_created_first() -> None:
    """The update of a service that other cases share names the one that the commands create before."""
    case = Case("c", "updated", "cases", (Step("updateContainer", service="shared:deployed"),))
    slug, create, update = list_commands("f", case, [record("PUT", "/containers/0192", {})], None, [CREATE])
    assert slug.startswith("SLUG=")
    assert create.startswith("ID=$(curl -s -X POST ")
    assert """ http://h/containers/"$ID" """ in update


def test_a_long_body_gets_a_fresh_slug(tmp_path: Path) -> None:
    """A create that is read from a file passes through a command that puts a fresh slug in."""
    create = record("POST", "/containers", {"service_slug": "ck-1", "display_name": "n" * 2000}, 201, "0192")
    (line,) = list_commands("f", Case("c", "display-name-length", "cases", (Step(),)), [create], ".")
    (tmp_path / "f-1.body").write_bytes(create.body_bytes or b"")
    script = line.partition(" | curl")[0].replace("$(date +%s)", "1700000000")
    shown = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(shown)["service_slug"] == "ck-1-1700000000"
    assert "--data-binary @- " in line


def test_each_caller_has_its_variable() -> None:
    """Where several callers take part, each command names the variable of its own token."""
    update = record("PUT", "/containers/0192", {}, caller="jwt-red")
    case = Case("c", "updated", "lifecycle", (Step(), Step("updateContainer")))
    lines = list_commands("f", case, [CREATE, update], None)
    assert "Bearer $TOKEN_SK_RED" in lines[1]
    assert "Bearer $TOKEN_JWT_RED" in lines[2]


@pytest.mark.parametrize("slug", ["", ["a-slug"], True], ids=str)
def test_a_slug_without_a_fresh_form_is_shown_last(slug: object) -> None:
    """Of two accepted slugs the finding shows the one that can be sent again, even if it is longer."""
    case = Case("c", "service-slug-pattern", "cases", (Step(expect="refuse"),))
    once, again = (
        record("POST", "/containers", {"service_slug": value}, 201) for value in (slug, "Upper-case")
    )
    assert reproduction_cost(case, [again]) < reproduction_cost(case, [once])


def test_a_caller_that_names_no_team_is_shown() -> None:
    """Of two equal requests the finding shows that of a key, not that of a user session."""
    case = Case("c", "display-name-length", "cases", (Step(),))
    by_key = record("POST", "/containers", {"service_slug": "ck-1"}, 201)
    by_jwt = replace(by_key, caller_kind="jwt")
    assert reproduction_cost(case, [by_key]) < reproduction_cost(case, [by_jwt])


@pytest.mark.parametrize("name", ["race/create-1", "race/update", "race/update-different-1"])
def test_the_requests_of_a_race_are_one_command(name: str) -> None:
    """The raced requests, and they alone, are sent at once: what prepares or checks them stands before or behind."""
    case = next(case for case in build_race_cases() if case.id == name)
    exchanges = [
        CREATE if step.operation == "createContainer" else record("PUT", "/containers/0192", step.body)
        for step in case.steps
    ]
    lines = list_commands("f", case, [*exchanges, record("GET", "/r/containers/ck-1")], None)
    race = next(line for line in lines if "wait  # at the same moment, as sk-red" in line)
    method = "POST" if "create" in name else "PUT"
    assert {part[:4].strip() for part in race.split("-X ")[1:]} == {method}
    assert race.count("curl") == (6 if "different" in name else 1)
    assert "-X GET" in lines[-1]
    if method == "PUT":
        assert lines[1].startswith("ID=$(curl")
