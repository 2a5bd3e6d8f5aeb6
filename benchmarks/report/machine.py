"""The machine, the commit and the versions of a measurement."""

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

from benchmarks.servers.contenders import NODE_PACKAGES

_CPU_INFO = Path("/proc/cpuinfo")
_PYTHON_PACKAGES = (
    "Flask",
    "Werkzeug",
    "granian",
    "jsonschema_rs",
    "SQLAlchemy",
    "psycopg",
    "schemathesis",
    "hypothesis",
)
_NODE_PACKAGES = (
    "@stoplight/prism-cli",
    "openapi-backend",
    "express",
    "@scalar/mock-server",
    "@hono/node-server",
)


def describe_machine() -> dict[str, Any]:
    """Return the cores, processor, memory, system, commit and versions."""
    return {
        "cores": os.cpu_count(),
        "processor": _find_processor(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "commit": _read_output("git", "describe", "--always", "--dirty"),
        "versions": {**_list_python_versions(), **_list_node_versions()},
    }


def _find_processor() -> str:
    text = _CPU_INFO.read_text(encoding="utf-8") if _CPU_INFO.exists() else ""
    found = re.search(r"model name\s*: (.*)", text)
    return found[1] if found else platform.processor() or platform.machine()


def _list_python_versions() -> dict[str, str]:
    versions = {"Python": platform.python_version()}
    for name in _PYTHON_PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    postgres = re.search(r"[0-9]+[0-9.]*", _read_output("psql", "--version"))
    return {**versions, "PostgreSQL": postgres[0]} if postgres else versions


def _list_node_versions() -> dict[str, str]:
    if shutil.which("node") is None:
        return {}
    versions = {"Node": _read_output("node", "--version")}
    for name in _NODE_PACKAGES:
        package = NODE_PACKAGES / name / "package.json"
        if package.exists():
            versions[name] = json.loads(package.read_text(encoding="utf-8"))["version"]
    return versions


def _read_output(*command: str) -> str:
    """Return the output of a command, or `unknown` if it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"
