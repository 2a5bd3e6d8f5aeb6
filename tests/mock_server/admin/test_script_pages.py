"""The page of the scripted faults, as the server sends it."""

import re

import pytest
from werkzeug.test import Client

from mock_server.app.factory import create_app
from tests.support.api import TOKENS
from tests.support.pages import create

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client() -> Client:
    """Return a client of a mock."""
    return create_app().test_client()


def list_steps(client: Client) -> list[str]:
    """Return the text of each step on the page."""
    steps = re.findall(r'<li id="step-\d+">(.*?)<form', client.get("/_mock/page/script").text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", step).split()) for step in steps]


def test_the_page_shows_the_script(client: Client) -> None:
    """A step has its effects, its filters, and how often it still applies."""
    steps = [
        {"status": 503, "headers": {"Retry-After": "5"}, "times": 2, "operation": "createContainer"},
        {"delay": 1.5, "drop": "after", "slug": "mine"},
        {"status": 201, "body": "hello", "caller": "dk-red"},
        {"truncate": True},
    ]
    client.post("/_mock/script", json=steps)
    create(client)
    assert list_steps(client) == [
        "returns 503 Service Unavailable, sets Retry-After: 5 operation createContainer · 1 left",
        "waits 1.5 s, drops the connection after the request is carried out slug mine · 1 left",
        "returns 201 Created with its own body of 5 bytes caller dk-red · 1 left",
        "cuts the response off after half of it any request · 1 left",
    ]


def test_the_form_refuses_for_a_rule(client: Client) -> None:
    """The next request gets the refusal of the rule of the form, and the page says so."""
    client.post("/_mock/page/script", data={"rule": "slug-unique"}, headers=SAME_ORIGIN)
    assert list_steps(client) == ["refuses for the rule slug-unique any request · 1 left"]
    assert create(client).json["violations"][0]["rule"] == "slug-unique"


def test_the_form_adds_a_step(client: Client) -> None:
    """The step of the form is the same as one sent by a program, and the next request takes it."""
    form = {
        "operation": "createContainer",
        "caller": "sk-red",
        "slug": "",
        "times": "2",
        "status": "503",
        "delay": "0",
        "connection": "",
        "headers": "Retry-After: 5\r\nX-A: b:c\r\n",
        "body": '{"a": 1}',
    }
    response = client.post("/_mock/page/script", data=form, headers=SAME_ORIGIN)
    assert (response.status_code, response.headers["Location"]) == (303, "/_mock/page/script")
    refused = create(client)
    assert (refused.status_code, refused.json) == (503, {"a": 1})
    assert (refused.headers["Retry-After"], refused.headers["X-A"]) == ("5", "b:c")


@pytest.mark.parametrize(
    ("connection", "option"),
    [
        ("before", {"drop": "before"}),
        ("after", {"drop": "after"}),
        ("truncate", {"truncate": True}),
    ],
)
def test_the_form_breaks_the_connection(client: Client, connection: str, option: dict[str, object]) -> None:
    """A connection can be dropped before or after the request is carried out, or cut off."""
    client.post("/_mock/page/script", data={"connection": connection}, headers=SAME_ORIGIN)
    assert client.get("/_mock/script").json["steps"] == [{**option, "left": 1}]


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({}, "a step: got no effect"),
        ({"status": "many"}, "status: got &#39;many&#39;, expected an integer from 200 to 599"),
        ({"status": "503", "times": "0"}, "times: got 0"),
        ({"delay": "nan"}, "delay: got nan"),
        (
            {"status": "503", "headers": "no colon"},
            "header fields: got &#39;no colon&#39;, expected a line such as Retry-After: 5",
        ),
        ({"status": "503", "headers": "Connection: close"}, "headers: got"),
        ({"status": "503", "operation": "<b>"}, "operation: got &#39;&lt;b&gt;&#39;"),
    ],
    ids=str,
)
def test_a_wrong_form_is_returned_with_the_reason(client: Client, form: dict[str, str], problem: str) -> None:
    """The page says what is expected, and nothing is added."""
    response = client.post("/_mock/page/script", data=form, headers=SAME_ORIGIN)
    assert (response.status_code, problem in response.text) == (400, True)
    assert client.get("/_mock/script").json["count"] == 0


def test_a_wrong_form_keeps_what_was_typed(client: Client) -> None:
    """Each field of the returned form has the text that was sent."""
    form = {
        "status": "many",
        "slug": "a",
        "connection": "after",
        "headers": "A: b",
        "body": "c",
        "caller": "dk-red",
    }
    text = client.post("/_mock/page/script", data=form, headers=SAME_ORIGIN).text
    for part in (
        'name="status" value="many"',
        'name="slug" value="a"',
        "A: b</textarea>",
        "c</textarea>",
        "<option selected>dk-red",
        'value="after" selected',
    ):
        assert part in text


def test_any_text_is_a_body(client: Client) -> None:
    """What is no JSON, or nested too deeply, is sent as text."""
    for body in ("not JSON", "[" * 5000):
        client.post("/_mock/page/script", data={"status": "500", "body": body}, headers=SAME_ORIGIN)
        assert create(client).text == body


def test_steps_are_removed(client: Client) -> None:
    """One step is removed by its number, or all are; a step that is gone or never was changes nothing."""
    client.post("/_mock/script", json=[{"status": 500 + number} for number in range(4)])
    for number in ("2", "2", "99", "x", "9" * 5000):
        response = client.post(f"/_mock/page/delete-script/{number}", headers=SAME_ORIGIN)
        assert response.status_code == 303
    assert [step["status"] for step in client.get("/_mock/script").json["steps"]] == [500, 502, 503]
    client.post("/_mock/page/delete-script", headers=SAME_ORIGIN)
    assert client.get("/_mock/script").json["count"] == 0


def test_no_token_is_shown(client: Client) -> None:
    """A token in a header of a step is not shown."""
    client.post("/_mock/script", json={"status": 500, "headers": {"X-A": f"a {TOKENS['sk-red']}"}})
    assert list_steps(client) == ["returns 500 Internal Server Error, sets X-A: a … any request · 1 left"]


@pytest.mark.parametrize("path", ["script", "delete-script", "delete-script/1"])
def test_a_form_of_another_origin_is_refused(client: Client, path: str) -> None:
    """A form that is not from a page of this server changes nothing."""
    client.post("/_mock/script", json={"status": 500})
    response = client.post(
        f"/_mock/page/{path}", data={"status": "501"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert (response.status_code, client.get("/_mock/script").json["count"]) == (403, 1)


def test_several_workers_have_no_script() -> None:
    """With several workers the page has no form, and says why."""
    text = create_app(workers=3).test_client().get("/_mock/page/script").text
    assert ("needs a mock with one worker" in text, "Add the step" in text) == (True, False)
