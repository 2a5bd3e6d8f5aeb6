"""The log of created services."""

import json
import os
from pathlib import Path

import pytest

from contract_tests.execution.sending.created_log import CreatedLog

ID = "0192f0c1-9a8b-7c6d-9e5f-404142434445"


def test_create_is_logged_before_its_response(tmp_path: Path) -> None:
    """A create is in the log before it is sent, and again after it succeeded."""
    path = tmp_path / "ledger.jsonl"
    created_log = CreatedLog(path)
    created_log.log_sending("me", "a-slug")
    before = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    created_log.log_created("me", "a-slug", ID)
    after = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    created_log.close()
    assert (before, after, created_log.count) == (["sending"], ["sending", "created"], 1)


def test_the_target_is_named_before_its_creates(tmp_path: Path) -> None:
    """Runs on two targets that share a file are told apart; a run that creates nothing adds no line."""
    path = tmp_path / "ledger.jsonl"
    for target, slugs in (("http://one", ["a", "b"]), ("http://none", []), ("http://two", ["c"])):
        created_log = CreatedLog(path)
        created_log.name_target(target)
        for slug in slugs:
            created_log.log_sending("me", slug)
        created_log.close()
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    told = [entry.get("target") or entry["slug"] for entry in entries]
    assert told == ["http://one", "a", "b", "http://two", "c"]
    assert {entry["event"] for entry in entries if "target" in entry} == {"run"}


def test_a_resumed_run_counts_its_own_services_alone(tmp_path: Path) -> None:
    """Creates of an earlier run that reported to the same folder are left out; lost ones and later parts count."""
    for resumed, slugs in ((False, "abc"), (False, "d"), (True, "ef")):
        created_log = CreatedLog(tmp_path / "ledger.jsonl", resumed=resumed)
        created_log.name_target("http://host")
        for slug in slugs:
            created_log.log_created("me", slug, ID)
        created_log.log_lost("me", "lost")
        created_log.close()
    assert (created_log.count, created_log.lost, created_log.possible) == (3, 2, 5)
    again = CreatedLog(tmp_path / "ledger.jsonl", resumed=True)
    again.close()
    assert (again.count, again.possible) == (3, 5)


@pytest.mark.timeout(10)
def test_a_pipe_without_a_reader_is_refused(tmp_path: Path) -> None:
    """A log that is a pipe which nobody reads is an error at once, and no run waits for a reader."""
    os.mkfifo(tmp_path / "ledger.jsonl")
    with pytest.raises(OSError, match=r"ledger\.jsonl"):
        CreatedLog(tmp_path / "ledger.jsonl")


def test_bytes_of_another_program_end_no_resumed_run(tmp_path: Path) -> None:
    """A log with bytes that are no UTF-8 is counted as far as it can be read."""
    (tmp_path / "ledger.jsonl").write_bytes(b'\xff\xfe\n{"event": "created"}\n')
    created_log = CreatedLog(tmp_path / "ledger.jsonl", resumed=True)
    created_log.close()
    assert created_log.count == 1


def test_a_log_that_found_no_room_is_closed_in_peace(tmp_path: Path) -> None:
    """The entry that could not be written is one error; a second one at the end would replace the verdict."""
    (tmp_path / "ledger.jsonl").symlink_to("/dev/full")
    created_log = CreatedLog(tmp_path / "ledger.jsonl")
    with pytest.raises(OSError, match=r"No space left on device.*ledger\.jsonl"):
        created_log.log_sending("me", "a-slug")
    created_log.close()
