"""A table of the page, its cells, and the two tables that several sections share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.load.figures import Costs, Figure


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the heads of the columns, and rows of text."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def render_markdown(table: Table) -> str:
    """Return a table as Markdown, below its title."""
    rows = (table.head, tuple("---" for _ in table.head), *table.rows)
    lines = ("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
    return f"**{table.title}**\n\n" + "\n".join(lines)


def build_cpu_table(title: str, costs: Costs, workloads: Sequence[str], base: str) -> Table:
    """Return the CPU of each contender, and how many times that of the `base` contender it is."""
    base_costs = costs.get(base, {})
    rows = (
        (name, *(format_ratio(cost[each]["cpu"], base_costs.get(each, {}).get("cpu")) for each in workloads))
        for name, cost in costs.items()
    )
    return Table(title, ("", *workloads), tuple(rows))


def build_speed_table(costs: Costs, workloads: Sequence[str]) -> Table:
    """Return the requests per second and the latencies of each contender."""
    rows = ((name, *(_format_speed(cost[each]) for each in workloads)) for name, cost in costs.items())
    return Table("Requests per second; p50 / p99 in milliseconds", ("", *workloads), tuple(rows))


def format_ratio(figure: Figure, base: Figure | None) -> str:
    """Format a median, followed in brackets by its ratio to the median of the base."""
    ratio = f" ({figure['median'] / base['median']:.2f})" if base else ""
    return f"{figure['median']:,.0f}{ratio}"


def format_median(figure: Figure) -> str:
    """Format a median with two decimals if it is below 100."""
    median = figure["median"]
    return f"{median:,.0f}" if median >= 100 else f"{median:.2f}"


def _format_speed(figures: Mapping[str, Figure]) -> str:
    rate, p50, p99 = (figures[kind]["median"] for kind in ("rate", "p50", "p99"))
    return f"{rate:,.0f}; {p50:.1f} / {p99:.1f}"
