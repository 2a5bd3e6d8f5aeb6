"""Runs pytest with the suite's plugin in a process of its own, as its users do."""

import subprocess
import sys
from pathlib import Path

MOCK = "wsgi:mock_server:create_app"


def run_contract_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with the plugin in a folder."""
    plugins = ("-p", "contract_tests.plugin", "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", "-q", *plugins, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
