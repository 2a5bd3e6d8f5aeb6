"""The table and the diagram of a machine."""

from contract_tests.learning.machine import Machine, Transition

MACHINE = Machine(
    ((), ("create",)),
    (
        Transition(1, "create", "201", 2), Transition(2, "create", "409", 2),
        Transition(1, "update", "404", 1), Transition(2, "update", "200", 2),
    ),
)  # fmt: skip


def test_the_table_has_a_column_per_state() -> None:
    """A cell has the status, and the state after it if it is another one."""
    assert list(MACHINE.list_lines()) == [
        "  1  no service",
        "  2  after create",
        "",
        "        1        2",
        "create  201 → 2  409",
        "update  404      200",
    ]


def test_the_diagram_leaves_out_what_changes_nothing() -> None:
    """The document has the arrows between two states, and the table."""
    text = MACHINE.render_markdown("States")
    assert [line.strip() for line in text.splitlines() if "-->" in line] == [
        "[*] --> s1", "s1 --> s2: create (201)",
    ]  # fmt: skip
    assert "| create | 201 → 2 | 409 |" in text
