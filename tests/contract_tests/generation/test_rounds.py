"""Rounds of generated bodies."""

from itertools import islice

import pytest

from contract_tests.generation.rounds import Round, plan_rounds


def test_rounds_add_up_to_the_requested_bodies() -> None:
    """A run has the gate's bodies, then the boundaries, then as many mutated bodies as requested."""
    assert list(plan_rounds(0, 10, (1, 1), endless=False)) == [Round(0, 10)]
    turns = list(plan_rounds(0, 500, (1, 1), endless=False))
    assert turns[1] == Round(0, 0, coverage=True)
    assert sum(4 * turn.examples + turn.mutated for turn in turns) == 4 * 500
    assert len({turn.seed for turn in turns[1:]}) == len(turns[1:])


@pytest.mark.parametrize("endless", [True, False])
def test_shards_have_distinct_seeds(*, endless: bool) -> None:
    """All shards share the first rounds; each generates its own of the others, and together they have all."""
    of = [list(islice(plan_rounds(5, 3000, (n, 3), endless=endless), 6)) for n in (1, 2, 3)]
    assert all(turns[:2] == of[0][:2] and turns[0].shared for turns in of)
    own = [turn.seed for turns in of for turn in turns[2:]]
    assert len(own) == len({*own})
    assert not any(turn.shared for turns in of for turn in turns[2:])
    whole = [turn.seed for turn in islice(plan_rounds(5, 3000, (1, 1), endless=endless), 2, 2 + len(own))]
    assert sorted(own) == whole
