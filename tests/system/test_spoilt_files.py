"""Files that are spoilt at a random place: each ends with a verdict, or with one line and exit code 2 or 3."""

import copy
import json
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from contract_tests.cli.main import build_command
from mock_server import create_app
from tests.support.clients import serving
from tests.support.fixture_player import load
from tests.support.gate.odd_servers import run_command

MOCK = "wsgi:mock_server:create_app"
SHORT = ("--layers", "race", "-k", "slug-unique", "--min-judged", "0", "--quiet")
NESTED: list[Any] = []
for _ in range(300):
    NESTED = [NESTED]
#: What takes the place of a value.
ODD: tuple[Any, ...] = (
    *(None, -1, 0, 1.5, 10**30, True, "", "x", "\0", "\ud800", "2031-01-01", float("nan"), NESTED),
    *([], {}, [None], [[]], {"": None}, ["a", "b"], {"$text": 1}, "$text"),
)
SEEDS = range(4)


def list_places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of each value within a document."""
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from list_places(item, (*place, key))


def spoil(document: Any, rng: random.Random) -> Any:
    """Return the document with one value deleted, replaced, or beside an unknown one."""
    document = copy.deepcopy(document)
    place = rng.choice(list(list_places(document)))
    if not place:
        return rng.choice(ODD)
    parent = document
    for key in place[:-1]:
        parent = parent[key]
    match rng.randrange(4):
        case 0:
            del parent[place[-1]]
        case 1 if isinstance(parent, dict):
            parent["unknown"] = rng.choice(ODD)
        case _:
            parent[place[-1]] = rng.choice(ODD)
    return document


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report folder of a run with findings."""
    folder = tmp_path_factory.mktemp("report")
    with serving(create_app(disabled_rules={"body-json", "slug-unique"})) as port:
        url = f"http://127.0.0.1:{port}/api/v1"
        run_command("run", "--target", url, "--layers", "wire,race", "--report", folder)
    return folder


def run(*arguments: str | Path) -> Result:
    """Return the result of a command."""
    return CliRunner().invoke(build_command(), list(map(str, arguments)))


@pytest.fixture(autouse=True)
def keep_signals() -> Iterator[None]:
    """Handle again, after a test, the signals that a command ignores at its end."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def read_original(kind: str, report: Path) -> Any:
    """Return a file of a kind as it should be."""
    if kind == "callers":
        return load("fixtures/callers.yaml")
    if kind == "waivers":
        return [{"rule": "slug-unique", "reason": "known", "until": "2031-01-01"}]
    if kind == "profile":
        return {
            "choices": {"id-version": {"option": "4", "evidence": "a"}, "largest-body": 65536},
            "not_seen": {"a": "b"},
        }
    name = {
        "report": "report.json",
        "finding": "findings/*.json",
        "state": "state.json",
        "recording": "traffic.har",
    }[kind]
    document = json.loads(min(report.glob(name)).read_text("utf-8"))
    if kind == "recording":
        del document["log"]["entries"][5:]
    return document


def read_spoilt(kind: str, file: Path) -> Result:
    """Return the result of the command that reads a file of this kind."""
    commands: dict[str, tuple[str | Path, ...]] = {
        "callers": ("run", "--target", MOCK, "--callers", file, *SHORT),
        "waivers": ("run", "--target", MOCK, "--waivers", file, *SHORT),
        "finding": ("replay", file, "--target", MOCK),
        "state": ("merge", file.parent, "--report", file.parent / "merged"),
        "recording": ("check", file),
        "report": ("compare", file, file),
        "profile": ("compare", file, file),
    }
    return run(*commands[kind])


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["callers", "waivers", "finding", "state", "recording", "report", "profile"])
def test_a_spoilt_file_is_one_line(kind: str, seed: int, report: Path, tmp_path: Path) -> None:
    """Neither a traceback nor an error of the kit follows from a value of the wrong kind, wherever it stands."""
    document = spoil(read_original(kind, report), random.Random(f"{kind} {seed}"))
    file = tmp_path / "state.json"
    text = yaml.safe_dump(document) if kind in ("callers", "waivers", "profile") else json.dumps(document)
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    result = read_spoilt(kind, file)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "an error of the" not in result.output
    if result.exit_code == 2:
        assert result.output.count("\n") == 1
        assert result.output.startswith("contract-tests: ")
    else:
        assert result.exit_code in (0, 1, 3)


def test_a_shape_is_told_without_the_value(tmp_path: Path) -> None:
    """The line names the file, the place and what is expected there; it never repeats a value, such as a token."""
    file = tmp_path / "callers.yaml"
    file.write_text("callers: [{kind: sk, token: [sk-secret]}]", "utf-8")
    result = read_spoilt("callers", file)
    assert result.exit_code == 2
    assert f"{file}: callers[0].token: expected string" in result.output
    assert "sk-secret" not in result.output
