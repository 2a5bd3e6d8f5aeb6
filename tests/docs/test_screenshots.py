"""The pictures of `make screenshots`."""

from pathlib import Path

import pytest

from tests.docs import screenshots
from tests.support.browser import in_browser


@in_browser
@pytest.mark.slow
def test_both_pictures_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The target writes a picture of the page and one of a finding, both small enough."""
    monkeypatch.setattr(screenshots, "FOLDER", tmp_path / "docs/screenshots")
    assert screenshots.main() == 0
    names = {path.name for path in (tmp_path / "docs/screenshots").iterdir()}
    assert names == {"mock.png", "finding.png"}
    assert capsys.readouterr().out.count(" kB") == 2
