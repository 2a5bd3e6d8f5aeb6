"""The machine that was learnt: its states and transitions, as a table of text and as a diagram in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Transition:
    """What a symbol does in a state: the status of its response, and the number of the state after it."""

    state: int
    symbol: str
    status: str
    following: int

    @property
    def text(self) -> str:
        """The status, and the state if it is another one."""
        return self.status if self.following == self.state else f"{self.status} → {self.following}"


@dataclass(frozen=True, slots=True)
class Machine:
    """States, numbered from 1, by the shortest word to each, and what each symbol does in each."""

    accesses: tuple[tuple[str, ...], ...]
    transitions: tuple[Transition, ...]

    @property
    def states(self) -> Mapping[int, str]:
        """The states by number, each named after the way to it."""
        return {
            number: f"after {', '.join(access)}" if access else "no service"
            for number, access in enumerate(self.accesses, 1)
        }

    def list_lines(self) -> Iterator[str]:
        """Yield the states, and the table of their transitions, for a terminal."""
        yield from (f"  {number}  {name}" for number, name in self.states.items())
        yield ""
        rows = list(self._list_rows())
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            yield _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()

    def render_markdown(self, title: str) -> str:
        """Return a document with the diagram (Mermaid), which leaves out what changes nothing, and the table."""
        rows = [f"| {' | '.join(row)} |" for row in self._list_rows()]
        rows.insert(1, "|---" * (len(self.accesses) + 1) + "|")
        diagram = ["```mermaid", "stateDiagram-v2", *self._list_arrows(), "```"]
        return "\n".join([f"# {title}", "", *diagram, "", *rows, ""])

    def _list_rows(self) -> Iterator[Sequence[str]]:
        yield ["", *map(str, self.states)]
        by_symbol: dict[str, list[str]] = {}
        for one in sorted(self.transitions, key=lambda transition: transition.state):
            by_symbol.setdefault(one.symbol, []).append(one.text)
        yield from ([symbol, *texts] for symbol, texts in by_symbol.items())

    def _list_arrows(self) -> Iterator[str]:
        yield from (f"    s{number}: {number} {name}" for number, name in self.states.items())
        yield "    [*] --> s1"
        for one in self.transitions:
            if one.following != one.state:
                yield f"    s{one.state} --> s{one.following}: {one.symbol} ({one.status})"
