"""The mock as a process: a port of its own, a production server, a greeting once it answers."""

import contextlib
import functools
import multiprocessing
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mock_server import __version__
from mock_server.contract import resources
from mock_server.contract.resources import UnusableFileError
from mock_server.server import interpreter
from mock_server.server.lines import log
from mock_server.server.turns import Turns
from mock_server.services.memory import MEMORY
from mock_server.validation.callers import Directory

#: So many calls may wait at a time; their threads take turns.
THREADS = 64
_TURNS = Turns()
_EXAMPLE = '{"service_slug": "my-service", "display_name": "My service", "docker_image": "nginx:1.27"}'


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; it travels to the worker process."""

    host: str = "127.0.0.1"
    port: int = 4010
    callers: Path | None = None
    spec: Path | None = None
    without: frozenset[str] = frozenset()
    any_token: bool = False
    max_body: int = 1024 * 1024
    control: bool = True
    cors: bool = False
    quiet: bool = False
    latency: str = ""
    fault_rate: float = 0
    seed: int | None = None
    deploy_seconds: float = 0
    store: str = MEMORY
    workers: int = 1
    watch: bool = False

    def __post_init__(self) -> None:
        """Several workers have no memory in common; what chance does can be repeated."""
        if self.seed is None and (self.latency or self.fault_rate):
            object.__setattr__(self, "seed", secrets.randbelow(1_000_000))
        if self.workers > 1 and self.store == MEMORY:
            shared = "--store sqlite:///file.db or postgresql://…"
            raise UnusableFileError(
                f"--workers {self.workers}: each worker has a memory of its own; share one with {shared}"
            )


def at(options: Options, port: int) -> Options:
    """The options with the port that is really listened at."""
    return replace(options, port=port)


@functools.cache
def app(options: Options) -> Any:
    """The app that the options describe; a forked worker finds the one that its parent made."""
    from mock_server.app.factory import create_app

    return create_app(
        spec=options.spec,
        callers=options.callers,
        without=options.without,
        any_token=options.any_token,
        max_body=options.max_body,
        control=options.control,
        cors=options.cors,
        log=None if options.quiet else log,
        latency=options.latency,
        fault_rate=options.fault_rate,
        seed=options.seed,
        deploy_seconds=options.deploy_seconds,
        workers=options.workers,
        store=options.store,
        sleep=_TURNS.sleep if takes_turns(options) else time.sleep,
    )


def takes_turns(options: Options) -> bool:
    """Whether one thread works at a time: not where each call waits for a database on a network."""
    return not options.store.startswith("postgres")


def in_turns(options: Options, made: Any) -> Any:
    """The app as its server calls it."""
    return _TURNS.around(made) if takes_turns(options) else made


@contextlib.contextmanager
def reserved(host: str, port: int) -> Iterator[int]:
    """A port that nobody else listens at, held for as long as the server runs."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(probe, host, port)
        free = int(probe.getsockname()[1])
    # The server binds with SO_REUSEPORT on Linux: a second mock would then share the port in silence.
    if sys.platform != "linux":
        yield free
        return
    with socket.socket(family, socket.SOCK_STREAM) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _bind(held, host, free)
        yield free


def _bind(probe: socket.socket, host: str, port: int) -> None:
    try:
        probe.bind((host, port))
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or str(error)
        other = "--host" if isinstance(error, socket.gaierror) else "--port, or --port 0 for any"
        raise UnusableFileError(f"{host}:{port}: {said.lower()}; choose another with {other}") from error


def serve(options: Options) -> None:
    """Serves until the process is told to end; the port is reserved by the caller."""
    run(options, functools.partial(_loaded, options, _first(options)))


def run(options: Options, loader: Callable[[], Any], interface: str = "wsgi") -> None:
    """Serves the app that the loader makes in each worker, a `wsgi` or an `asginl` one (ASGI, no lifespan)."""
    for name in [name for name in os.environ if name.startswith(("HTTP_", "CONTENT_"))]:
        del os.environ[name]  # the server would hand them to the app as headers of every request
    server(options, interface).serve(target_loader=loader, wrap_loader=False)


def server(options: Options, interface: str = "wsgi") -> Any:
    """The server of an app that takes no longer than the mock, with what it is set to."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces

    return Granian(
        "mock_server",
        address=options.host,
        port=options.port,
        interface=Interfaces(interface),
        workers=options.workers,
        blocking_threads=_threads(options) if interface == "wsgi" else 1,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        workers_kill_timeout=1,
        respawn_failed_workers=options.workers > 1,
    )


def _threads(options: Options) -> int:
    """As many as may wait at a time; where they do not take turns, as many as are of use."""
    return THREADS if takes_turns(options) else max(2, min(8, 2 * (os.cpu_count() or 1) + 1))


def _first(options: Options) -> Any:
    """What the first worker of several acquires and never releases."""
    return None if options.workers == 1 else multiprocessing.Lock()


def _loaded(options: Options, first: Any) -> Any:
    """Runs in the worker: the app, and a greeting by the first worker as soon as it answers."""
    end_with_parent()
    interpreter.tune(turns=takes_turns(options))
    made = app(options)
    speaks = first is None or first.acquire(block=False)
    if options.watch:
        made = _watched(options, made, speaks)
    if not options.quiet and speaks:
        greet(options.host, options.port, lambda: greeting(options))
    return in_turns(options, made)


def _watched(options: Options, made: Any, speaks: bool) -> Any:
    """The app as it follows the files of its contract; one worker tells of it for all."""
    from mock_server.server.reload import Watched

    spec = options.spec or resources.find("spec/openapi.yaml")
    watched = Watched(made, spec, log if speaks else lambda _: None)
    watched.start()
    return watched


def end_with_parent() -> None:
    """Ends the worker once the process that started it is gone, however that was killed, so that the port is free."""
    parent = multiprocessing.parent_process()

    def end() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end, name="parent", daemon=True).start()


def greet(host: str, port: int, text: Callable[[], str]) -> None:
    """Prints the text as soon as someone answers at the port, in a thread of its own."""

    def wait_and_print() -> None:
        for _ in range(1000):
            with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
                break
            time.sleep(0.01)
        with contextlib.suppress(OSError):
            sys.stdout.write(text() + "\n")
            sys.stdout.flush()

    threading.Thread(target=wait_and_print, daemon=True).start()


def url(options: Options) -> str:
    """The base URL of the served contract."""
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"http://{host}:{options.port}/api/v1"


def greeting(options: Options) -> str:
    """The URL, the callers and a request to paste. Tokens of a callers file of one's own are not shown."""
    from mock_server.validation import callers as directory

    known = directory.load(options.callers, any_token=options.any_token)
    ours = options.callers is None
    page = [f"The page to look at: {url(options).removesuffix('/api/v1')}/_mock/"] if options.control else []
    lines = [f"mock-server {__version__} at {url(options)}", *page, "", "Callers:", *_callers(known, ours)]
    if options.any_token:
        lines.append("  and any other well-formed token (sk-…, dk-…, or a JWT)")
    if options.latency or options.fault_rate:
        lines += ["", f"By chance: {' '.join(_chance(options))}"]
    token = next((t for t, c in known.callers.items() if c.kind in directory.CREDENTIALS), "sk-anything")
    shown = token if ours else "$TOKEN"
    return "\n".join([*lines, "", "Try:", *_curl(options, shown), "", "Ctrl-C ends it."])


def _chance(options: Options) -> Iterator[str]:
    given = (("--latency", options.latency), ("--fault-rate", options.fault_rate), ("--seed", options.seed))
    yield from (f"{name} {value}" for name, value in given if value is not None and value != "")


def _callers(known: Directory, tokens: bool) -> Iterator[str]:
    labels = {team: label for label, team in known.teams.items()}
    for token, caller in known.callers.items():
        teams = " ".join(labels.get(team, team) for team in caller.teams)
        yield f"  {caller.name:<10} of {teams:<10}" + (f" {token}" if tokens else "")
    yield from (f"  team {label:<5} is {team}" for label, team in known.teams.items())


def _curl(options: Options, token: str) -> list[str]:
    return [
        f"  curl -i {url(options)}/containers \\",
        f'    -H "Authorization: Bearer {token}" -H "Content-Type: application/json" \\',
        f"    -d '{_EXAMPLE}'",
    ]
