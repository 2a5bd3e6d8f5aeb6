"""The contenders, in one table. Servers that are not installed are left out with a note."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes.folders import ROOT
from mock_server.contract import export, resources

NODE_PACKAGES = ROOT / "benchmarks/node_modules"
_PEERS = ROOT / "benchmarks/peers"
_PRISM = NODE_PACKAGES / ".bin/prism"

#: Builds the command line of a server from its port and a folder for its files.
CommandBuilder = Callable[[int, Path], list[str]]


@dataclass(frozen=True, slots=True)
class Contender:
    """A server to compare: its command, its base path, and the paths that have to be installed.

    A contender that `logs` writes to a pipe; one that `stores` needs an existing service for its updates; one that
    `refuses` must answer violations with 4xx.
    """

    name: str
    build_command: CommandBuilder
    base_path: str = "/api/v1"
    logs: bool = False
    stores: bool = False
    refuses: bool = True
    needs: tuple[Path, ...] = ()

    @property
    def missing(self) -> str:
        """The name of the first need that is not installed, or an empty text."""
        if self.needs and shutil.which("node") is None:
            return "Node"
        return next((path.name for path in self.needs if not path.exists()), "")


def build_mock(name: str, *options: str, logs: bool = False) -> Contender:
    """Return the mock with some command-line options."""
    command = [sys.executable, "-m", "mock_server"]
    return Contender(name, lambda port, _: [*command, "--port", str(port), *options], logs=logs, stores=True)


def build_app_command(port: int, kind: str, *arguments: str) -> list[str]:
    """Return the command line for one of the apps in `benchmarks.servers.apps`."""
    return [sys.executable, "-m", "benchmarks.servers.apps", str(port), kind, *arguments]


def _build_prism_command(*options: str) -> CommandBuilder:
    document = str(resources.find_resource("spec/openapi.yaml"))
    return lambda port, _: [str(_PRISM), "mock", document, "-p", str(port), *options]


def _build_node_command(script: str, version: str) -> CommandBuilder:
    def build_command(port: int, folder: Path) -> list[str]:
        document = resources.read_yaml(resources.find_resource("spec/openapi.yaml"))
        view = export.export_view(document if isinstance(document, dict) else {}, version=version)
        contract = folder / f"openapi-{version}.json"
        contract.write_text(json.dumps(view), encoding="utf-8")
        return ["node", str(_PEERS / script), str(contract), str(port)]

    return build_command


BARE_FLASK = Contender("bare Flask", lambda port, _: build_app_command(port, "bare"), refuses=False)
MOCK = build_mock("mock", logs=True)
QUIET_MOCK = build_mock("mock --quiet", "--quiet")
OPENAPI_BACKEND = Contender(
    "openapi-backend",
    _build_node_command("openapi_backend.mjs", "3.0"),
    needs=(NODE_PACKAGES / "openapi-backend",),
)
PRISM = Contender("Prism", _build_prism_command(), base_path="", logs=True, needs=(_PRISM,))
QUIET_PRISM = Contender(
    "Prism -v silent", _build_prism_command("-v", "silent"), base_path="", needs=(_PRISM,)
)
SCALAR = Contender(
    "Scalar",
    _build_node_command("scalar.mjs", "3.1"),
    base_path="",
    needs=(NODE_PACKAGES / "@scalar/mock-server",),
)
CONTENDERS = (BARE_FLASK, MOCK, QUIET_MOCK, OPENAPI_BACKEND, PRISM, QUIET_PRISM, SCALAR)
