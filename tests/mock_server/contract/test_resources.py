"""Files of other hands are read within bounds."""

from pathlib import Path

import pytest

from mock_server.contract.resources import UnusableFileError, read_yaml


@pytest.mark.parametrize("text", ["[" * 200_000, "- " * 200_000 + "a", '{"a":' * 200_000])
def test_a_bottomless_file_is_refused(text: str, tmp_path: Path) -> None:
    """A file that is nested too deeply for the loader's stack is one sentence, and the process lives on."""
    file = tmp_path / "openapi.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(UnusableFileError, match="nested too deeply"):
        read_yaml(file)


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)),
        "a: &a [*a]",
    ],
    ids=["doubled-forty-times", "in-itself"],
)
def test_aliases_are_bounded(text: str, tmp_path: Path) -> None:
    """A file that its aliases make too large is one sentence."""
    file = tmp_path / "openapi.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(UnusableFileError, match="too large once its aliases are expanded"):
        read_yaml(file)


def test_values_are_counted_while_they_are_read(tmp_path: Path) -> None:
    """A file of a million values is refused before it is loaded."""
    file = tmp_path / "openapi.yaml"
    file.write_text("- x\n" * 1_000_000, "utf-8")
    with pytest.raises(UnusableFileError, match="too many values; correct it"):
        read_yaml(file)


def test_merged_keys_are_bounded(tmp_path: Path) -> None:
    """A file that its merge keys make too large is one sentence, before any key is copied."""
    lines = [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 50)}]}}" for n in range(1, 9)]
    file = tmp_path / "openapi.yaml"
    file.write_text("\n".join(["a0: &a0 {x: 1}", *lines]), "utf-8")
    with pytest.raises(UnusableFileError, match="too many keys once those of << are copied"):
        read_yaml(file)


def test_a_file_without_end_is_refused() -> None:
    """A device that gives bytes without end is read up to a bound."""
    with pytest.raises(UnusableFileError, match="larger than 16 MiB"):
        read_yaml(Path("/dev/zero"))


@pytest.mark.parametrize("value", ["!!timestamp x", "!!bool x", "!!int ''", "2026-13-01", "9" * 5000])
def test_a_value_that_does_not_fit_its_type_is_refused(value: str, tmp_path: Path) -> None:
    """A wrong tag, a date that is none and a number with too many digits are one sentence with file and line."""
    file = tmp_path / "profile.yaml"
    file.write_text(f"choices:\n  a: {value}\n", "utf-8")
    with pytest.raises(UnusableFileError, match=r"profile\.yaml: not YAML: a value that .* line 2"):
        read_yaml(file)


def test_usual_depth_is_read(tmp_path: Path) -> None:
    """Ninety lists in one another are a document."""
    file = tmp_path / "deep.yaml"
    file.write_text("[" * 90 + "]" * 90, "utf-8")
    assert isinstance(read_yaml(file), list)


@pytest.mark.parametrize(
    "text",
    [
        "choices:\n  a: 1\n  b: {c: 1}\n  a: 2\n",
        '{"a": [],\n "b": {},\n\n "a": []}',
        "- b\n-\n  a: [a, a]\n  a: 1\n",
    ],
    ids=["choice", "json", "in-a-list"],
)
def test_a_repeated_key_is_refused(text: str, tmp_path: Path) -> None:
    """Of two values of one key a loader would drop the first, so the line of the second is named."""
    file = tmp_path / "profile.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(UnusableFileError, match="line 4: the key 'a' is there twice; correct it"):
        read_yaml(file)


def test_equal_keys_of_several_mappings_are_read(tmp_path: Path) -> None:
    """The same key in another mapping, and equal values, are no repeats; nor are two merges."""
    file = tmp_path / "profile.yaml"
    file.write_text("a: &a {b: c}\nb: {a: b, <<: *a, <<: *a}\nc: [{a: 1}, {a: 1}]\nd: c\n", "utf-8")
    assert isinstance(read_yaml(file), dict)
