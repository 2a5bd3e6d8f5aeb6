"""The command ``contract-tests compare``."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from contract_tests.cli.main import build_command

OLD = "2026-11-02T09:00:00+00:00"
NEW = "2026-11-29T09:00:00+00:00"
SEEN = "accepted a request that breaks this rule"


def compare(*arguments: str | Path) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(build_command(), ["compare", *map(str, arguments)])


def write_report(
    file: Path, *kinds: tuple[str, str], started: str = NEW, unjudged: str = "", **changes: Any
) -> Path:
    """Write a report with findings by rule and kind of input; a finding of an assumed rule is a note."""
    keys = [
        {"rule": rule, "input": kind, "seen": SEEN, "first_seen": started,
         "severity": "note" if rule == "gpu-count-range" else "failure"}
        for rule, kind in kinds
    ]  # fmt: skip
    names = ("exposed-port-range", "slug-unique", "gpu-count-range", "not-while-busy")
    rules = [
        {
            "rule": name,
            "verdict": "not observed" if name == unjudged else "conforms",
            "reason": "needs a hook" if name == unjudged else "",
        }
        for name in names
    ]
    report = {
        "started": started,
        "findings": [],
        "rules": rules,
        "finding_keys": keys,
        "target": "http://a/b",
    }
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({**report, **changes}), "utf-8")
    return file


PORT = ("exposed-port-range", "create with exposed_port")
SLUG = ("slug-unique", "create after create")
GPUS = ("gpu-count-range", "create with gpu_count")


def test_each_group_of_findings_has_its_lines(tmp_path: Path) -> None:
    """New, fixed, still broken with its age, chosen otherwise and no longer judged are told; new is exit code 1."""
    old = write_report(tmp_path / "old.json", PORT, SLUG, started=OLD)
    new = write_report(
        tmp_path / "new.json", PORT, ("exposed-port-range", "update with exposed_port"), GPUS,
        unjudged="not-while-busy",
    )  # fmt: skip
    done = compare(old, new)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"{old} of 2026-11-02 09:00:00, then {new} of 2026-11-29 09:00:00",
        f"new               exposed-port-range: update with exposed_port: {SEEN}",
        f"fixed             slug-unique: create after create: {SEEN}",
        f"still broken      exposed-port-range: create with exposed_port: {SEEN}; known since 2026-11-02, 27 days",
        f"chosen otherwise  gpu-count-range: create with gpu_count: {SEEN}",
        "no longer judged  not-while-busy: needs a hook",
        "1 new, 1 fixed, 1 still broken, 1 chosen otherwise, 1 no longer judged",
    ]


def test_nothing_new_is_exit_code_0(tmp_path: Path) -> None:
    """A report folder compared with itself has nothing new; --quiet prints the summary only."""
    folder = write_report(tmp_path / "report" / "report.json", SLUG).parent
    done = compare(folder, folder, "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "1 still broken\n", "")
    file = write_report(tmp_path / "clean.json")
    assert compare(file, file, "--quiet").stdout == "no difference\n"


def test_a_finding_without_a_verdict_now_is_not_fixed(tmp_path: Path) -> None:
    """A finding whose rule was not judged again is told once, by what was seen."""
    old = write_report(tmp_path / "old.json", SLUG)
    new = write_report(tmp_path / "new.json", unjudged="slug-unique")
    done = compare(old, new)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1:] == [
        f"no longer judged  slug-unique: create after create: {SEEN}",
        "1 no longer judged",
    ]


def test_reports_of_different_runs_are_told_and_compared(tmp_path: Path) -> None:
    """Another target, contract, kit, caller or layer is a note, since it may explain a difference."""
    old = write_report(tmp_path / "old.json", kit="1", callers=["sk-red"], layers={"cases": {}})
    new = write_report(
        tmp_path / "new.json", target="http://c", kit="2", callers=["sk-red", "jwt"], layers={"race": {}}
    )
    done = compare(old, new)
    assert (done.exit_code, done.stdout.splitlines()[1:]) == (0, [
        "note: the targets differ: http://a/b, then http://c",
        "note: the versions of the kit differ: 1, then 2",
        "note: the callers differ: sk-red, then sk-red, jwt",
        "note: the layers differ: cases, then race",
        "no difference",
    ])  # fmt: skip


def test_the_comparison_is_written_as_json(tmp_path: Path) -> None:
    """With -o a file has the keys of each group."""
    file = tmp_path / "comparison.json"
    old, new = write_report(tmp_path / "old.json"), write_report(tmp_path / "new.json", SLUG)
    assert compare(old, new, "-o", file).exit_code == 1
    document = json.loads(file.read_text("utf-8"))
    assert document["new"] == [{"rule": SLUG[0], "input": SLUG[1], "seen": SEEN}]
    assert (document["exit_code"], document["fixed"], document["remarks"]) == (1, [], [])


def write_profile(file: Path, text: str) -> Path:
    """Write a profile."""
    file.write_text(text, "utf-8")
    return file


def test_two_profiles_are_compared_by_choice(tmp_path: Path) -> None:
    """An option that differs is exit code 1; what only one of them has is told."""
    old = write_profile(tmp_path / "a.yaml", """\
choices: {invalid-body-status: 400, id-version: 4, bearer-case: any, unknown-properties: ignored}
""")  # fmt: skip
    new = write_profile(tmp_path / "b.yaml", """\
choices:
  invalid-body-status: {option: 422, evidence: PUT was answered 422, confidence: medium}
  id-version: '4'
  nul-characters: refused
  unknown-properties: ignored
not_seen: {bearer-case: the answers differ}
""")  # fmt: skip
    done = compare(old, new)
    assert (done.exit_code, done.stdout.splitlines()) == (1, [
        f"{old}, then {new}",
        "chosen otherwise  invalid-body-status: was 400, is 422 (not certain): PUT was answered 422",
        "no longer judged  bearer-case: the answers differ",
        "judged now        nul-characters: refused",
        "1 chosen otherwise, 1 no longer judged, 1 judged now",
    ])  # fmt: skip
    assert compare(old, old, "--quiet").exit_code == 0
    none = write_profile(tmp_path / "none.yaml", "choices: {id-version: 4}")
    assert compare(old, none).stdout.splitlines()[1:] == [
        "no longer judged  invalid-body-status, bearer-case, unknown-properties: not listed",
        "3 no longer judged",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.json", None, "No such file or directory; name a report.json or a profile"),
        ("p.yaml", "choices: {id-version: 7}", "is a report, and "),
        ("f.json", '{"case": {}, "exchanges": []}', "is a finding, not a report of `contract-tests run`; name two"),
        ("t.har", '{"log": {"entries": []}}', "is a recording (HAR), not a report"),
        ("c.yaml", "choices: {no-such-choice: 7}", "no choice has the id 'no-such-choice'"),
        ("o.yaml", "choices: {id-version: 5}", "id-version: got '5', expected "),
        ("l.yaml", "choices: [1]", "choices: expected object"),
        ("b.json", '{"started": "now", "findings": [], "finding_keys": []}', "expected times such as"),
        ("e.json", "{", "is not YAML"),
        ("n.json", "[" * 3000, "nested too deeply"),
    ],
)  # fmt: skip
def test_unusable_files_are_one_line(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    """Files of another kind, and two kinds, are named in one line, with exit code 2."""
    report, other = write_report(tmp_path / "report.json"), tmp_path / name
    if content is not None:
        other.write_text(content, "utf-8")
    for pair in ((report, other), (other, report)):
        done = compare(*pair)
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.output
        assert message in done.stderr


def test_a_report_writes_no_lines_of_its_own(tmp_path: Path) -> None:
    """A text of a compared file stays in its line, and forms no command of a CI runner."""
    old = write_report(tmp_path / "old.json", started=OLD)
    new = write_report(tmp_path / "new.json", ("slug-unique", "a\n::error::b\n##[group]c"))
    done = compare(old, new)
    assert "##[" not in done.stdout
    assert r"a :\x3aerror::b #\x23[group]c" in done.stdout


def test_an_unwritable_file_is_one_line(tmp_path: Path) -> None:
    """A file that -o cannot write, or a pipe that nobody reads, is a usage error."""
    report = write_report(tmp_path / "report.json")
    os.mkfifo(tmp_path / "pipe")
    assert compare(report, report, "-o", tmp_path / "pipe").exit_code == 2
    done = compare(report, report, "-o", tmp_path / "no" / "file.json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "-o: " in done.stderr
    assert "name a file that can be written" in done.stderr
