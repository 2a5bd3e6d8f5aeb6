"""The command in docs/learn.md works as shown."""

import subprocess
from pathlib import Path

import pytest

from tests.support.docs import list_blocks, read_page, run_block
from tests.support.processes import mock_server

PAGE = read_page("docs/learn.md")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_command_learns_the_states_on_the_page(tmp_path: Path) -> None:
    """The output on a served mock begins with the table of the page, and the folder has the diagram."""
    (shown,) = list_blocks(PAGE, "text")
    with mock_server(stderr=subprocess.DEVNULL) as served:
        done = run_block("".join(list_blocks(PAGE, "sh")), tmp_path, timeout=200, TARGET=served.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(shown)
    assert (tmp_path / "learnt" / "machine.md").is_file()
