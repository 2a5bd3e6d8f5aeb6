"""Where it was measured, and with what."""

import json
import os
import platform
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from benchmarks.servers.contenders import PACKAGES

_PYTHON = (
    "Flask",
    "Werkzeug",
    "granian",
    "jsonschema_rs",
    "SQLAlchemy",
    "psycopg",
    "schemathesis",
    "hypothesis",
)
_NODE = ("@stoplight/prism-cli", "openapi-backend", "express", "@scalar/mock-server", "@hono/node-server")


def told() -> dict[str, Any]:
    """Cores, processor, memory, and the version of everything that is named."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "commit": _said("git", "describe", "--always", "--dirty"),
        "versions": {**_python(), **_node()},
    }


def _processor() -> str:
    with (
        Path("/proc/cpuinfo").open(encoding="utf-8")
        if Path("/proc/cpuinfo").exists()
        else Path(os.devnull).open(encoding="utf-8") as file
    ):
        found = re.search(r"model name\s*: (.*)", file.read())
    return found[1] if found else platform.processor() or platform.machine()


def _python() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for name in _PYTHON:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    server = re.search(r"[0-9]+[0-9.]*", _said("psql", "--version"))
    return {**found, "PostgreSQL": server[0]} if server else found


def _node() -> dict[str, str]:
    if shutil.which("node") is None:
        return {}
    found = {"Node": _said("node", "--version")}
    for name in _NODE:
        package = PACKAGES / name / "package.json"
        if package.exists():
            found[name] = json.loads(package.read_text(encoding="utf-8"))["version"]
    return found


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"
