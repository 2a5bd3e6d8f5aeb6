"""SVG charts that are readable in light and dark mode: bars, stacked bars and lines."""

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

#: The values by row (a contender) and by series (a part or a kind).
Rows = Mapping[str, Mapping[str, float]]


def draw_bars(title: str, rows: Rows, number_format: str = "{:,.0f}") -> str:
    """Draw a bar with its value for each series of each row."""
    colours = _assign_colours(rows)
    highest = max((value for row in rows.values() for value in row.values()), default=1) or 1
    parts, y = [*_draw_head(title, colours)], _TOP + 16
    for name, row in rows.items():
        parts.append(_draw_text(_LEFT - 8, y + 12 + (len(row) - 1) * 7, name, "end"))
        for label, value in row.items():
            width = _scale_width(value, highest)
            parts.append(_draw_bar(_LEFT, y, width, 12, colours[label]))
            parts.append(_draw_text(_LEFT + width + 5, y + 11, number_format.format(value), "start", "faint"))
            y += 14
        y += 10
    return _render_svg(parts, y)


def draw_stacked_bars(title: str, rows: Rows, number_format: str = "{:.1f}") -> str:
    """Draw one bar of several parts for each row, with their sum."""
    colours = _assign_colours(rows)
    highest = max((sum(row.values()) for row in rows.values()), default=1) or 1
    parts, y = [*_draw_head(title, colours)], _TOP + 16
    for name, row in rows.items():
        parts.append(_draw_text(_LEFT - 8, y + 14, name, "end"))
        x = float(_LEFT)
        for label, value in row.items():
            width = _scale_width(value, highest)
            parts.append(_draw_bar(x, y, width, _ROW - 2, colours[label]))
            x += width
        total = number_format.format(sum(row.values()))
        parts.append(_draw_text(x + 5, y + 14, total, "start", "faint"))
        y += _ROW + 8
    return _render_svg(parts, y)


def draw_lines(title: str, rows: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw a line through the points of each row, x on a logarithmic scale and y from zero."""
    colours = {name: _COLOURS[n % len(_COLOURS)] for n, name in enumerate(rows)}
    points = [point for row in rows.values() for point in row]
    highest = max((y for _, y in points), default=1) or 1
    xs = sorted({x for x, _ in points})
    first, last = (xs[0], xs[-1]) if xs else (1, 10)
    decades = math.log10(last / first) or 1
    bottom, height, left = _TOP + 220, 200, 60

    def place_point(x: float, y: float) -> tuple[float, float]:
        return left + math.log10(x / first) / decades * (_WIDTH - left - 90), bottom - y / highest * height

    parts = [*_draw_head(title, colours)]
    parts.append(f'<path class="axis" d="M{left} {bottom - height}V{bottom}H{_WIDTH - 40}"/>')
    parts += [_draw_text(place_point(x, 0)[0], bottom + 18, f"{x:,.0f}", "middle", "faint") for x in xs]
    for y in (0, highest / 2, highest):
        parts.append(_draw_text(left - 6, place_point(first, y)[1] + 4, f"{y:,.0f}", "end", "faint"))
    for name, row in rows.items():
        parts += _draw_line([place_point(x, y) for x, y in row], colours[name])
    return _render_svg(parts, bottom + 30)


def _assign_colours(rows: Rows) -> dict[str, str]:
    labels = dict.fromkeys(label for row in rows.values() for label in row)
    return {label: _COLOURS[number % len(_COLOURS)] for number, label in enumerate(labels)}


def _scale_width(value: float, highest: float) -> float:
    return value / highest * (_WIDTH - _LEFT - _RIGHT)


def _draw_head(title: str, colours: Mapping[str, str]) -> list[str]:
    """Draw the title, and a legend if there are several series."""
    parts, x = [_draw_text(12, 20, title, "start", "title")], 12.0
    for label, colour in colours.items() if len(colours) > 1 else ():
        parts += [_draw_bar(x, 32, 12, 12, colour), _draw_text(x + 17, 42, label, "start")]
        x += 34 + 6.6 * len(label)
    return parts


def _draw_line(points: Sequence[tuple[float, float]], colour: str) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    line = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    return [line, *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)]


def _draw_bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height}" fill="{colour}"/>'


def _draw_text(x: float, y: float, text: str, anchor: str, style: str = "") -> str:
    css_class = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{css_class}>{escape(text)}</text>'


def _render_svg(parts: Sequence[str], height: float) -> str:
    content = "\n".join(parts)
    size = f'width="{_WIDTH}" height="{height:.0f}" viewBox="0 0 {_WIDTH} {height:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{_STYLE}</style>\n{content}\n</svg>\n'
