"""Generated bodies as data."""

from pathlib import Path

import pytest

from contract_tests.cases.tables import load_bodies
from contract_tests.contract.rules import load_catalogue
from contract_tests.contract.spec import load_spec
from contract_tests.generation import bodies, cache
from contract_tests.generation.bodies import freeze_samples, load_samples
from contract_tests.generation.rounds import GATE_EXAMPLES

SPEC, CATALOGUE, BODIES = load_spec(), load_catalogue(), load_bodies()


def test_shipped_bodies_match_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped bodies were generated from the current contract (`make docs` writes them)."""

    def fail(*_: object, **__: object) -> None:
        pytest.fail("the gate's bodies are not shipped; run make docs")

    monkeypatch.setattr(bodies, "_generate_samples", fail)
    monkeypatch.setattr(cache, "user_cache_path", lambda _: Path("nowhere"))
    assert len(load_samples(SPEC, 0, GATE_EXAMPLES, coverage=False)) == 4 * GATE_EXAMPLES


@pytest.mark.slow
def test_bodies_are_frozen_once_per_contract(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Samples of this contract stay as they are, so that `make docs` changes no file for an edit of the code."""
    monkeypatch.setattr(cache, "SHIPPED_FOLDER", tmp_path)
    (tmp_path / "corpus-of-another-contract.jsonl").touch()
    freeze_samples(SPEC, 0, 1)
    (file,) = tmp_path.iterdir()
    file.write_text("as it was")
    freeze_samples(SPEC, 0, 1)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["as it was"]
