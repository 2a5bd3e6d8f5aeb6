"""Files that the user names: written whole or not at all."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contract_tests.contract.files.report_file import write_named_file

#: Writes more than the limit of the size of a file allows, which fails as on a full disk.
_WRITE = "import sys, pathlib; from contract_tests.contract.files.report_file import write_named_file as write; write"
_LIMIT = 4096


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LIMIT, _LIMIT))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_a_file_that_finds_no_room_keeps_its_content(tmp_path: Path) -> None:
    """The earlier content stays, and no draft is left."""
    file = tmp_path / "profile.yaml"
    file.write_text("earlier")
    command = [sys.executable, "-c", f"{_WRITE}(pathlib.Path(sys.argv[1]), 'x' * {_LIMIT * 10})", str(file)]
    done = subprocess.run(command, preexec_fn=_limit_files, capture_output=True, check=False)
    assert b"File too large" in done.stderr
    assert (file.read_text(), list(tmp_path.iterdir())) == ("earlier", [file])


def test_a_link_stays_one(tmp_path: Path) -> None:
    """The file behind a link is written."""
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(file)
    write_named_file(link, "text")
    assert (link.is_symlink(), file.read_text()) == (True, "text")


def test_a_file_that_cannot_be_replaced_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file that is mounted into a container alone."""
    file = tmp_path / "file"
    file.write_text("earlier")

    def refuse(*_: object) -> None:
        raise OSError(16, os.strerror(16))

    monkeypatch.setattr(Path, "replace", refuse)
    write_named_file(file, "text")
    assert (file.read_text(), list(tmp_path.iterdir())) == ("text", [file])


def test_a_device_is_written_to() -> None:
    """It stays one."""
    write_named_file(Path(os.devnull), "text")
    assert not Path(os.devnull).is_file()
