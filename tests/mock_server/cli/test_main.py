"""The command line, in real processes."""

import errno
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
import yaml
from click.testing import CliRunner

from mock_server.cli.main import main
from mock_server.cli.options import SECONDS
from mock_server.cli.proxy import proxy
from mock_server.validation.callers import load_callers
from tests.support.api import RED
from tests.support.fixture_player import ROOT, load
from tests.support.processes import MOCK, mock_server, post, run

TOKEN = "sk-red-5f0c7c1e9a"
#: Options whose message names the field or the file in place of the option.
SHARED_NAMES = {
    "--callers": "nowhere",
    "--spec": "nowhere",
    "--profile": "nowhere",
}
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
BODY = b'{"service_slug": "abc", "display_name": "d", "docker_image": "n"}'


def test_the_greeting_has_callers_and_a_working_request() -> None:
    """The printed curl command creates a service at the printed URL."""
    with mock_server() as mock:
        curl = mock.greeting.split("Try:\n")[1].split("\n\n")[0]
        result = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, timeout=20, check=True)
    assert "jwt-both" in mock.greeting
    assert result.stdout.startswith("HTTP/1.1 201")


def test_each_request_is_one_line_of_the_log() -> None:
    """A line has the method, the path, the status, the broken rules and the milliseconds."""
    with mock_server() as mock:
        post(f"{mock.url}/containers", BODY, HEADERS)
        with pytest.raises(OSError, match="409"):
            post(f"{mock.url}/containers", BODY, HEADERS)
        mock.process.terminate()
        assert mock.process.stderr is not None
        lines = mock.process.stderr.read().splitlines()
    assert [line.split()[:-2] for line in lines] == [
        ["POST", "/api/v1/containers", "201"],
        ["POST", "/api/v1/containers", "409", "slug-unique"],
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
@pytest.mark.slow
def test_a_signal_ends_the_mock_quietly(number: signal.Signals) -> None:
    """With a connection open, the process exits with 0 within two seconds and prints nothing."""
    with mock_server(start_new_session=True) as mock:
        port = int(mock.url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port)):
            start = time.monotonic()
            os.killpg(mock.process.pid, number)
            code = mock.process.wait(timeout=10)
        assert mock.process.stderr is not None
        assert (code, mock.process.stderr.read()) == (0, "")
        assert time.monotonic() - start < 2


@pytest.mark.slow
def test_an_early_signal_ends_the_mock() -> None:
    """A process that does not serve yet ends without a traceback."""
    for delay in (0.1, 0.2, 0.3, 0.4):
        process = subprocess.Popen(
            [*MOCK, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            cwd=ROOT,
        )
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGTERM)
        _, stderr = process.communicate(timeout=10)
        assert b"Traceback" not in stderr


def test_quiet_prints_nothing() -> None:
    """`--quiet` prints neither a greeting nor a log."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*MOCK, "--port", str(port), "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    status = None
    for _ in range(100):
        try:
            status = post(f"http://127.0.0.1:{port}/api/v1/containers", BODY, HEADERS)
            break
        except OSError:
            time.sleep(0.05)
    process.terminate()
    assert (status, process.communicate(timeout=10), process.returncode) == (201, (b"", b""), 0)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder of unusable files."""
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    (tmp_path / "list.yaml").write_text("- a", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "latin.yaml").write_bytes(b"caf\xe9: 1")
    spec = load("spec/openapi.yaml")
    spec["components"]["schemas"]["ExposedPort"]["multipleOf"] = 2
    (tmp_path / "unnamed.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    beginning = '{"components": {"schemas": {"Port": {\n"maximum": "x"}}}, '
    keyword = beginning + '"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}'
    (tmp_path / "keyword.yaml").write_text(keyword, encoding="utf-8")
    spec["paths"]["/containers"]["post"]["responses"] = 5
    (tmp_path / "invalid.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    environment = {"teams": {}, "callers": [{"kind": "sk", "teams": ["red"], "token_env": "NO_SUCH_TOKEN"}]}
    environment["teams"] = {"red": RED}
    (tmp_path / "env.yaml").write_text(yaml.safe_dump(environment), encoding="utf-8")
    teamless = {"callers": environment["callers"]}
    (tmp_path / "teamless.yaml").write_text(yaml.safe_dump(teamless), encoding="utf-8")
    no_token = {"teams": {}, "callers": [{"kind": "sk", "teams": []}]}
    (tmp_path / "no-token.yaml").write_text(yaml.safe_dump(no_token), encoding="utf-8")
    return tmp_path


UNUSABLE = {
    "spec-missing": (["--spec", "nowhere.yaml"], "nowhere.yaml: No such file or directory; name a file"),
    "spec-no-yaml": (["--spec", "broken.yaml"], "not YAML"),
    "spec-a-list": (["--spec", "list.yaml"], "not a mapping; name an OpenAPI document"),
    "spec-no-utf-8": (["--spec", "latin.yaml"], "not UTF-8 at byte 3; save it as UTF-8"),
    "spec-invalid": (["--spec", "invalid.yaml"], "correct it"),
    "spec-bad-keyword": (
        ["--spec", "keyword.yaml"],
        "keyword.yaml:2: at components/schemas/Port/maximum: 'x' is not of type 'number'; correct it",
    ),
    "spec-unnamed": (["--spec", "unnamed.yaml"], "multipleOf names no rule; add x-rules"),
    "spec-a-folder": (["--spec", "."], "Is a directory"),
    "callers-missing": (["--callers", "nowhere.yaml"], "nowhere.yaml: No such file"),
    "callers-no-callers": (["--callers", "list.yaml"], "not a mapping"),
    "callers-no-teams": (["--callers", "teamless.yaml"], "no teams; write the UUID of each under `teams:`"),
    "callers-no-team": (["--callers", "no-token.yaml"], "caller 1: teams: expected a list"),
    "unknown-rule": (
        ["--disable-rule", "slug-uniqe"],
        "--disable-rule: no rule has the id 'slug-uniqe'; did you mean slug-unique",
    ),
    "unknown-host": (
        ["--host", "host.invalid"],
        "--host host.invalid: no name or address that this machine knows;",
    ),
    "host-of-another": (
        ["--host", "192.0.2.1"],
        "--host 192.0.2.1: no address of this machine; use 127.0.0.1 for",
    ),
    "host-with-scheme": (["--host", "http://localhost"], "give it without a scheme, a port or brackets"),
    "host-of-odd-bytes": (["--host", "\udcff"], "no name or address that this machine knows"),
    "no-host": (["--host", ""], "--host: got nothing, expected an address such as 127.0.0.1"),
    "endless": (["--body-timeout", "inf"], "--body-timeout: got inf, expected a number of seconds above 0"),
    "no-variable": (["--callers", "env.yaml"], "caller 1: no token; set the variable NO_SUCH_TOKEN"),
    "pipe": (["--callers", "pipe"], "pipe: a pipe, which can be read once only; name a file"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_invalid_option_is_reported_on_one_line(files: Path, arguments: list[str], message: str) -> None:
    """The line on standard error says how to correct it, and the exit code is 2."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [*MOCK, "--port", "0", *arguments],
        capture_output=True,
        text=True,
        cwd=files,
        env=environment,
        check=False,
        timeout=30,
    )
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert message in result.stderr


@pytest.mark.parametrize("seconds", ["nan", "inf", "1e300", "0", "-1"])
def test_a_time_limit_is_a_number_of_seconds(seconds: str) -> None:
    """With a limit that no timer takes, every request would fail."""
    with pytest.raises(click.BadParameter):
        SECONDS.convert(seconds, None, None)
    assert {parameter.name: parameter.type for parameter in proxy.params}["timeout"] == SECONDS


@pytest.mark.slow
def test_a_used_port_is_reported_on_one_line() -> None:
    """A second mock does not share the port of the first."""
    with mock_server() as mock:
        port = mock.url.split(":")[2].split("/")[0]
        result = run("--port", port)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert f"127.0.0.1:{port}: address already in use; choose another with --port" in result.stderr


SHARED_MISTAKES = {
    "--disable-rule": "slug-uniqe",
    "--callers": "nowhere",
    "--spec": "nowhere",
    "--body-timeout": "nan",
    "--allow-host": "http://x",
}
MOCK_MISTAKES = {
    **SHARED_MISTAKES,
    "--store": "nowhere",
    "--latency": "nan",
    "--fault-rate": "nan",
    "--deploy-seconds": "nan",
    "--workers": "999",
    "--max-body": "0",
    "--profile": "nowhere.yaml",
}
PROXY_MISTAKES = {
    **SHARED_MISTAKES,
    "--timeout": "nan",
    "--max-body": "0",
    "--upstream": "http://",
    "--strict": None,
}
MISTAKES = [
    *((name, [name, value]) for name, value in MOCK_MISTAKES.items()),
    *(
        (name, ["proxy", "--upstream", "http://127.0.0.1:1", name, *([value] if value else [])])
        for name, value in PROXY_MISTAKES.items()
    ),
]


@pytest.fixture(scope="module")
def used_port() -> Iterator[str]:
    """Yield a port that another program listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.mark.parametrize(("name", "arguments"), MISTAKES, ids=[" ".join(given[-3:]) for _, given in MISTAKES])
def test_a_mistake_in_the_arguments_is_reported_before_a_used_port(
    name: str, arguments: list[str], used_port: str
) -> None:
    """Every option of the mock and of the proxy is checked first; the exit code is 2."""
    result = CliRunner().invoke(main, [*arguments, "--port", used_port])
    assert (result.exit_code, "already in use" in result.output) == (2, False)
    assert (SHARED_NAMES.get(name) or name.removeprefix("--")) in result.output


def test_every_option_with_a_value_has_a_mistake() -> None:
    """No option of the mock or the proxy that can be wrong is missing above."""
    free = {"--host", "--port", "--seed"}  # tested with the port; any number is a seed
    for command, mistakes in ((main, MOCK_MISTAKES), (proxy, PROXY_MISTAKES)):
        options = {each.opts[0] for each in command.params if not getattr(each, "is_flag", False)}
        assert options - free <= {*mistakes}


def test_a_name_of_the_host_is_served() -> None:
    """`--host localhost` serves at the address of that name."""
    with mock_server("--host", "localhost") as mock:
        assert mock.url.startswith("http://localhost:")
        assert post(f"{mock.url}/containers", BODY, HEADERS) == 201


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_port_that_a_user_may_not_use_has_advice(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the port and another range."""

    def refuse(*_arguments: object) -> None:
        raise PermissionError(number, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    result = CliRunner().invoke(main, ["--port", "80"])
    expected = (
        "--port 80: not permitted for this user; choose a port from 1024, or --port 0 for any free one\n"
    )
    assert (result.exit_code, result.output) == (2, f"mock-server: {expected}")


def test_the_callers_are_printed_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mock-server callers` prints the mock's own; with --env, each token is read from a variable."""
    own = CliRunner().invoke(main, ["callers"]).output
    assert yaml.safe_load(own) == load("fixtures/callers.yaml")
    (tmp_path / "callers.yaml").write_text(CliRunner().invoke(main, ["callers", "--env"]).output, "utf-8")
    for caller in load("fixtures/callers.yaml")["callers"]:
        monkeypatch.setenv(f"CYBERUN_{caller['name'].upper().replace('-', '_')}", caller["token"])
    assert load_callers(tmp_path / "callers.yaml") == load_callers()


def test_the_environment_does_not_become_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable such as HTTP_PROXY does not become a header of a request."""
    monkeypatch.setenv("HTTP_PROXY", "http://user:secret@proxy")
    monkeypatch.setenv("HTTP_AUTHORIZATION", f"Bearer {TOKEN}")
    with mock_server() as mock, pytest.raises(OSError, match="401"):
        post(f"{mock.url}/containers", BODY, {"Content-Type": "application/json"})


def test_options_reach_the_mock() -> None:
    """--any-token, --max-body, --no-control and --disable-rule take effect."""
    options = ("--any-token", "--max-body", "500", "--no-control", "--disable-rule", "exposed-port-range")
    headers = {**HEADERS, "Authorization": "Bearer sk-never-seen-before"}
    with mock_server(*options) as mock:
        assert post(f"{mock.url}/containers", BODY[:-1] + b', "exposed_port": 0}', headers) == 201
        with pytest.raises(OSError, match="413"):
            post(f"{mock.url}/containers", b"{" + b" " * 600 + b"}", headers)
        with pytest.raises(OSError, match="404"):
            post(mock.url.replace("/api/v1", "/_mock/services"), BODY, headers)


def test_tokens_of_a_callers_file_are_not_printed(tmp_path: Path) -> None:
    """The greeting names the callers; the example request has a variable for the token."""
    callers = load("fixtures/callers.yaml")
    (tmp_path / "callers.yaml").write_text(yaml.safe_dump(callers), encoding="utf-8")
    with mock_server("--callers", str(tmp_path / "callers.yaml")) as mock:
        assert "sk-blue" in mock.greeting
        assert "$TOKEN" in mock.greeting
        assert not [caller for caller in callers["callers"] if caller["token"] in mock.greeting]


def test_the_greeting_has_what_the_terminal_can_show(tmp_path: Path) -> None:
    """A name of a caller neither drives the terminal, nor ends the greeting where it has no such character."""
    caller = {"name": "\x1b[31m\u202e\U0001f600", "kind": "sk", "teams": ["red"], "token": "sk-of-a-test"}
    callers = {"teams": {"red": "0192f0c0-1111-7aaa-8bbb-0123456789ab"}, "callers": [caller]}
    (tmp_path / "callers.yaml").write_text(yaml.safe_dump(callers), encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    with mock_server("--callers", str(tmp_path / "callers.yaml"), env=environment) as mock:
        assert r"\x1b[31m\u202e\U0001f600" in mock.greeting


@pytest.mark.slow
def test_an_address_that_others_reach_is_told() -> None:
    """The greeting of 0.0.0.0 says what is open; --allow-host opens the control plane under one more name."""
    with mock_server("--host", "0.0.0.0", "--allow-host", "mock.example") as mock:
        assert "Everyone who reaches this address can use /_mock/" in mock.greeting
        url = mock.url.replace("/api/v1", "/_mock/services").replace("0.0.0.0", "127.0.0.1")
        statuses = []
        for host in ("mock.example", "other.example"):
            with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
                connection.request("GET", "/_mock/services", headers={"Host": host})
                statuses.append(connection.getresponse().status)
    assert statuses == [200, 403]
    with mock_server() as mock:
        assert "Everyone" not in mock.greeting
