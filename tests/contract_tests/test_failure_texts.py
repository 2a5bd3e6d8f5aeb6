"""The texts of the plugin's tests."""

import re

import pytest

from contract_tests import test_contract
from tests.support.reports import build_faulty_report, make_hostile


@pytest.mark.slow
def test_control_characters_do_not_reach_the_terminal(pytestconfig: pytest.Config) -> None:
    """Whatever the target puts into a response, its control characters are shown as escapes in each test's text."""
    report = make_hostile(build_faulty_report())
    texts = []
    for verdict in report.verdicts:
        if verdict.verdict != "conforms":
            with pytest.raises((pytest.fail.Exception, pytest.skip.Exception)) as caught:
                test_contract.test_rule(verdict.rule.id, verdict, report, pytestconfig)
            texts.append(str(caught.value))
    assert len(texts) > 3
    assert [text for text in texts if re.search("[\x00-\x08\x0b-\x1f\u202e\ud800]", text)] == []
