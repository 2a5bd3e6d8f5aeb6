"""Charts as SVG that is read in light and in dark."""

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 760, 190, 70, 20, 46
_COLOURS = ("#3b76b8", "#d9822b", "#3f9c6b", "#b5506c", "#7d6bb3", "#8a8a3c", "#5f7f8f")
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; font-size: 14px; }
.faint { fill: #6e7781; }
.axis { stroke: #afb8c1; fill: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .faint { fill: #9198a1; }
  .axis { stroke: #57606a; }
}
"""

#: By row (a contender), by series (a part or a kind), the value.
Rows = Mapping[str, Mapping[str, float]]


def bars(title: str, rows: Rows, form: str = "{:,.0f}") -> str:
    """A bar for each series of each row, with its value."""
    series = _series(rows)
    most = max((value for row in rows.values() for value in row.values()), default=1) or 1
    drawn, y = [*_head(title, series)], _TOP + 16
    for name, row in rows.items():
        drawn.append(_text(_LEFT - 8, y + 12 + (len(row) - 1) * 7, name, "end"))
        for label, value in row.items():
            drawn.append(_bar(_LEFT, y, _scaled(value, most), 12, series[label]))
            drawn.append(
                _text(_LEFT + _scaled(value, most) + 5, y + 11, form.format(value), "start", "faint")
            )
            y += 14
        y += 10
    return _drawn(drawn, y)


def stacked(title: str, rows: Rows, form: str = "{:.1f}") -> str:
    """One bar for each row, of its parts, with their sum."""
    series = _series(rows)
    most = max((sum(row.values()) for row in rows.values()), default=1) or 1
    drawn, y = [*_head(title, series)], _TOP + 16
    for name, row in rows.items():
        drawn.append(_text(_LEFT - 8, y + 14, name, "end"))
        x = float(_LEFT)
        for label, value in row.items():
            drawn.append(_bar(x, y, _scaled(value, most), _ROW - 2, series[label]))
            x += _scaled(value, most)
        drawn.append(_text(x + 5, y + 14, form.format(sum(row.values())), "start", "faint"))
        y += _ROW + 8
    return _drawn(drawn, y)


def lines(title: str, rows: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """A line for each row through its points (x on a logarithmic scale), y from zero."""
    series = {name: _COLOURS[n % len(_COLOURS)] for n, name in enumerate(rows)}
    points = [point for row in rows.values() for point in row]
    most = max((y for _, y in points), default=1) or 1
    xs = sorted({x for x, _ in points})
    last = math.log10(max(xs, default=10)) or 1
    bottom, height, left = _TOP + 220, 200, 60

    def at(x: float, y: float) -> tuple[float, float]:
        return left + math.log10(max(x, 1)) / last * (_WIDTH - left - 90), bottom - y / most * height

    drawn = [*_head(title, series)]
    drawn.append(f'<path class="axis" d="M{left} {bottom - height}V{bottom}H{_WIDTH - 40}"/>')
    drawn += [_text(at(x, 0)[0], bottom + 18, f"{x:,.0f}", "middle", "faint") for x in xs]
    drawn += [_text(left - 6, at(1, y)[1] + 4, f"{y:,.0f}", "end", "faint") for y in (0, most / 2, most)]
    for name, row in rows.items():
        placed = [at(x, y) for x, y in row]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{series[name]}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{series[name]}"/>' for x, y in placed]
    return _drawn(drawn, bottom + 30)


def _series(rows: Rows) -> dict[str, str]:
    labels = dict.fromkeys(label for row in rows.values() for label in row)
    return {label: _COLOURS[number % len(_COLOURS)] for number, label in enumerate(labels)}


def _head(title: str, series: Mapping[str, str]) -> list[str]:
    drawn, x = [_text(12, 20, title, "start", "title")], 12.0
    for label, colour in series.items() if len(series) > 1 else ():
        drawn += [_bar(x, 32, 12, 12, colour), _text(x + 17, 42, label, "start")]
        x += 34 + 6.6 * len(label)
    return drawn


def _scaled(value: float, most: float) -> float:
    return value / most * (_WIDTH - _LEFT - _RIGHT)


def _bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height}" fill="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(text)}</text>'


def _drawn(parts: Sequence[str], height: float) -> str:
    inside = "\n".join(parts)
    size = f'width="{_WIDTH}" height="{height:.0f}" viewBox="0 0 {_WIDTH} {height:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{_STYLE}</style>\n{inside}\n</svg>\n'
