"""What axe-core finds on a page in a browser: weak contrast, missing names, content outside of landmarks."""

import itertools
from collections.abc import Iterator
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

_WIDTHS = (375, 1280)
_COLOR_SCHEMES = ("light", "dark")


def find_axe_violations(page: Page) -> list[str]:
    """Return one line per violation on the page, in both colour schemes on a phone and on a desktop.

    The page keeps the last scheme and width.
    """
    page.evaluate(AXE_SCRIPT)
    violations: list[str] = []
    for width, scheme in itertools.product(_WIDTHS, _COLOR_SCHEMES):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        results = page.evaluate("axe.run({ resultTypes: ['violations'] })")
        violations += [f"{width}px {scheme}: {line}" for line in _format_violations(results)]
    return violations


def _format_violations(results: dict[str, Any]) -> Iterator[str]:
    for violation in results["violations"]:
        for node in violation["nodes"]:
            yield f"{violation['id']}: {node['target']}: {node['failureSummary']}"
