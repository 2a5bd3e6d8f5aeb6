"""The tutorials work from their first to their last line, and stay short."""

from pathlib import Path

import pytest

from tests.support.docs import play_page, read_blocks, read_page
from tests.support.fixture_player import ROOT

TUTORIALS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs/tutorials").glob("*.md"))
each_tutorial = pytest.mark.parametrize("name", TUTORIALS, ids=lambda name: Path(name).stem)


@pytest.mark.slow
@each_tutorial
def test_a_tutorial_works_as_shown(name: str, tmp_path: Path) -> None:
    """Its files and commands, in their order, print what it shows and end with the codes that it names."""
    play_page(read_page(name), tmp_path)


@each_tutorial
def test_a_tutorial_is_short(name: str) -> None:
    """It has under 100 lines, and at least three blocks of commands."""
    page = read_page(name)
    assert page.count("\n") < 100
    assert sum(block.language == "sh" for block in read_blocks(page)) >= 3


def test_each_user_has_a_tutorial() -> None:
    """There is one for the developer of a client, the engineer of a platform, and the tester."""
    assert [Path(name).stem for name in TUTORIALS] == ["client-developer", "platform-engineer", "tester"]
