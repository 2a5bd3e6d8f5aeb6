"""The judge under audit: what `contract-tests check` says of a recording."""

from collections.abc import Sequence

from benchmarks.audit.model import Entry
from contract_tests.contract.rules import Catalogue
from contract_tests.contract.spec import Spec
from contract_tests.results.aggregate import Aggregate
from contract_tests.results.recorded.recorded_judge import judge_recording
from contract_tests.results.recorded.recording import Recording
from contract_tests.results.verdict import decide_verdicts


def list_violated(entries: Sequence[Entry], *, own: bool, spec: Spec, catalogue: Catalogue) -> set[str]:
    """Return the rules for which `check` fails; a note on an assumed rule is no failure."""
    observations = judge_recording(Recording(entries, own), spec, catalogue)
    if all(observation.judgement.outcome != "violated" for observation in observations):
        return set()
    rows, _ = decide_verdicts(Aggregate.of(observations), catalogue, {}, strict=False)
    return {row.rule.id for row in rows if row.fails}
