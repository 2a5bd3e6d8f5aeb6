"""Examples of one kind of violation, each in a few words."""

from dataclasses import replace
from typing import Any

import pytest

from contract_tests.cases.model import Case, Step
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.examples import Example, describe_example, merge_examples
from contract_tests.results.judge import Judgement
from contract_tests.results.observation import Observation
from contract_tests.targets.base import Request, Response
from contract_tests.targets.exchange import Redactor


def observe(
    rule: str,
    body: bytes | None,
    headers: tuple[tuple[str, str], ...] = (),
    path: str = "/containers",
    **more: Any,
) -> Observation:
    """Build a violation that one request shows."""
    request = Request("POST", path, headers, body)
    exchange = Redactor(()).record_exchange("sk-red", "http://h", request, Response(201, (), b"", 0.1))
    return Observation(
        Case("c", rule, "cases", (Step(),)), Judgement("violated", rule, "why", **more), (exchange,)
    )


@pytest.mark.parametrize(
    ("observation", "example"),
    [
        (observe("exposed-port-range", b'{"exposed_port": 0}'), ("exposed_port 0", "201")),
        (
            observe("display-name-length", b'{"display_name": "%s"}' % (b"a" * 256)),
            (f'display_name "{"a" * 58}… (256 characters)', "201"),
        ),
        (observe("display-name-required", b"{}"), ("no display_name", "201")),
        (observe("external-credential-format", b'{"external_auth_credential_id": ""}'),
         ('external_auth_credential_id ""', "201")),
        (observe("env-name-type", b'{"env_config": [1]}'), ("env_config [1]", "201")),
        (
            observe(
                "container-path-type",
                b'{"volume_config": [{"host_path": "/srv/data", "container_path": "/data"}, '
                b'{"host_path": "/a", "container_path": 1}]}',
            ),
            ('volume_config [{"host_path": "/srv…host_path": "/a", "container_path": 1}] (2 items)', "201"),
        ),
        (observe("auth-required", b"{}"), ("no Authorization, as sk-red", "201")),
        (observe("team-uuid", b"{}", (("x-team-id", ""),)), ("an empty X-Team-ID, as sk-red", "201")),
        (observe("team-scope", b"{}"), ("the id of another team's service, as sk-red", "201")),
        (observe("service-id-format", b"{}", path="/containers/1"), ("the id 1", "201")),
        (observe("body-json", b"{\n"), ("the body {\\n", "201")),
        (observe("body-json", b"caf\xe9"), ("the bytes 63 61 66 e9", "201")),
        (observe("body-json", b""), ("an empty body", "201")),
        (observe("body-size", b"a" * 70_000), (f"the body {'a' * 59}… (70,000 bytes)", "201")),
        (
            observe("exposed-port-default", None, differences=(("exposed_port", "absent", "8080"),)),
            ("exposed_port 8080", "absent in the read-back"),
        ),
    ],
)  # fmt: skip
def test_example_names_the_part_in_question(observation: Observation, example: tuple[str, str]) -> None:
    """An example shows the value, header, id or body that the rule is about, and the response."""
    assert describe_example(observation) == Example(*example)


@pytest.mark.parametrize("more", ["", " end", " middle" + "y" * 80])
def test_example_of_a_long_value_shows_where_the_read_back_differs(more: str) -> None:
    """A text that lost its last character is not shown as two equal beginnings."""
    difference = ("service_desc", f'"{"x" * 90}{more}"', f'"{"x" * 90} {more}"')
    example = describe_example(observe("created-stored", None, differences=(difference,)))
    received, expected = example.received.removesuffix(" in the read-back"), example.sent.partition(" ")[2]
    assert received != expected
    assert {received[:9], expected[:9]} == {"…xxxxxxxx"}
    assert max(len(received), len(expected)) <= 60


def test_example_of_a_server_error_blames_no_absent_property() -> None:
    """Anything in a random body may be the cause of a server error, so the body is shown, not what it lacks."""
    body = b'{"gpu_count": 2, "replica_count": 7.0}'
    crashed = observe("display-name-required", body, server_error=True)
    assert describe_example(crashed) == Example(f"the body {body.decode()}", "201")
    without = replace(
        crashed, case=replace(crashed.case, value=("createContainer", "deployed", "display_name"))
    )
    assert describe_example(without) == Example("no display_name", "201")


def test_example_names_the_form_of_a_request() -> None:
    """A valid body is not the reason where a header or the spelling of the body is the only unusual part."""
    seen = observe("request-forms", b'{"display_name": "One"}')
    chunked = Step(headers=(("Authorization", None), ("Transfer-Encoding", "chunked")))
    for step, sent in (
        (chunked, "Transfer-Encoding: chunked"),
        (Step(style="escaped"), "a body whose characters are escaped"),
        (Step(), 'the body {"display_name": "One"}'),
    ):
        case = replace(seen.case, steps=(step,))
        assert describe_example(replace(seen, case=case)) == Example(sent, "201")


def test_example_of_a_request_after_its_control_names_the_request() -> None:
    """A valid request that goes before a broken one only proves that it is the breach that is refused."""
    seen = observe("body-keys", b'{"a": 1, "a": 2}')
    case = Case("crossed/key-twice-0-1", "body-keys", "wire", (Step(), Step(expect="refuse")))
    observed = replace(seen, case=case, exchanges=(*observe("body-keys", b"{}").exchanges, *seen.exchanges))
    assert describe_example(observed) == Example('the body {"a": 1, "a": 2}', "201")


def test_five_different_examples_are_kept() -> None:
    """A deviation keeps five different examples, also when it is stored and merged, and counts all."""
    observations = [
        observe("exposed-port-range", b'{"exposed_port": %d}' % port) for port in (0, 0, 1, 2, 3, 4, 5, 6)
    ]
    stored = Aggregate.from_json(Aggregate.of(observations).to_json())
    stored.merge(Aggregate.of(observations))
    (deviation,) = stored.deviations.values()
    assert deviation.count == 16
    assert [example.sent for example in deviation.examples] == [f"exposed_port {port}" for port in range(5)]


def test_examples_are_merged_without_repeats() -> None:
    """The same request is one example, and the first ones stay first."""
    one, two, three = (Example(name, "201") for name in "abc")
    assert merge_examples((two, one), (one, three)) == (two, one, three)
