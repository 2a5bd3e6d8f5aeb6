"""Random faults and latency."""

import time

import pytest
from werkzeug.test import Client

from mock_server import create_app
from mock_server.faults.fault import InjectedFault
from mock_server.faults.random_faults import RandomFaults, parse_latency
from tests.support.api import BODY, CREATE, auth, create_status
from tests.support.processes import mock_server, run

LATENCIES = {
    "200ms": (0.2, 0.2),
    "50-200ms": (0.05, 0.2),
    "1.5s": (1.5, 1.5),
    "0.1-2s": (0.1, 2.0),
    "0ms": (0, 0),
}


@pytest.mark.parametrize(("text", "expected"), LATENCIES.items(), ids=LATENCIES)
def test_a_latency_is_a_time_or_a_range(text: str, expected: tuple[float, float]) -> None:
    """The unit is milliseconds or seconds."""
    assert parse_latency(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["200", "200-50ms", "61s", "-1ms", "fast", "1ms-2s", "9" * 50 + "s"])
def test_an_invalid_latency_is_refused(text: str) -> None:
    """The message has examples of a latency."""
    with pytest.raises(ValueError, match=r"latency: got .*, expected"):
        parse_latency(text)


def draw_faults(seed: int, latency: str = "") -> list[str]:
    """Return the faults of two hundred requests."""
    random_faults = RandomFaults(latency, 0.2, seed)
    return [fault_kind(random_faults.draw()[1]) for _ in range(200)]


def fault_kind(fault: InjectedFault | None) -> str:
    """Return a short name of a fault."""
    return "-" if fault is None else str(fault.response.status) if fault.response else fault.drop


def test_a_seed_repeats_its_faults() -> None:
    """The same seed gives the same faults, whatever the latency."""
    assert draw_faults(7) == draw_faults(7) == draw_faults(7, "1-5ms")
    assert draw_faults(7) != draw_faults(8)
    assert set(draw_faults(7)) == {"-", "503", "before"}
    assert 20 < 200 - draw_faults(7).count("-") < 60


def test_random_faults_affect_requests() -> None:
    """With a rate of 1 every request fails, except those of the control plane."""
    client, outcomes = Client(create_app(fault_rate=1, seed=1)), []
    for _ in range(12):
        try:
            response = client.post(CREATE, json=BODY, headers=auth())
            outcomes.append((response.status_code, response.headers.get("Retry-After")))
        except ConnectionResetError:
            outcomes.append((0, None))
    assert set(outcomes) == {(503, "1"), (0, None)}
    assert client.get("/_mock/services").json["count"] == 0
    entries = client.get("/_mock/journal").json["requests"]
    assert {entry["injected"] for entry in entries} == {"random"}


def test_a_latency_delays_every_request() -> None:
    """Each request is carried out, and its response is delayed."""
    client, start = Client(create_app(latency="100ms")), time.perf_counter()
    assert (create_status(client), create_status(client, "other")) == (201, 201)
    assert time.perf_counter() - start >= 0.2


@pytest.mark.parametrize(
    ("argument", "message"),
    [("--latency=soon", "mock-server: --latency: got"), ("--fault-rate=2", "--fault-rate")],
    ids=str,
)
def test_an_invalid_option_is_refused(argument: str, message: str) -> None:
    """The exit code is 2, and the message names the option."""
    result = run("--port", "0", argument)
    assert (result.returncode, message in result.stderr) == (2, True)


def test_the_greeting_has_the_seed() -> None:
    """A run without a seed prints the one that it draws."""
    with mock_server("--fault-rate", "0.5", "--latency", "1-2ms") as running:
        line = next(line for line in running.greeting.splitlines() if line.startswith("Random faults"))
    assert "--latency 1-2ms --fault-rate 0.5 --seed " in line
