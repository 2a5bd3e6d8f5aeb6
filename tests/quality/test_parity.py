"""Parity: a calibrated mock agrees with its deployment, and every planted difference is reported under its name."""

import os
from typing import Any

import pytest

from contract_tests.contract.choices import Choice, load_choices
from examples.deployment.choices import Choices
from mock_server import create_app
from tests.support.gate.calibration import SETS, iter_mixtures
from tests.support.gate.example_app import build_deployment_app
from tests.support.gate.gate import EXAMPLE_HOOK, catalogue
from tests.support.gate.parity import compare_app, compare_calibrated, describe_parts, list_parted

pytestmark = pytest.mark.slow

#: Compared in each run of the tests; the others are exhaustive.
_SOME = ("default", "order-path-first")
#: Choices without an effect on any answer that is compared, and the reason.
_UNSEEN = {
    ("reported-violations", "first"): "the words of refusals are not compared",
    ("empty-team", "missing"): "a missing team is answered 400, as a malformed one usually is",
    ("null-item-properties", "absent"): "an item without its property is usually refused, too",
    ("half-surrogates", "malformed"): "malformed and invalid bodies usually have one status",
    ("media-type-parameters", "utf-8"): "no request has another parameter than charset",
}
_NUMBERS = {"4xx": 418, "2xx": 202, "bytes": 65_536}
_SOME_RULES = ("exposed-port-range",)


def assert_agrees(choices: Choices, requests: int) -> None:
    """Accept or refuse agrees always, and the status in 99.5 of 100 requests."""
    report = compare_calibrated(choices, requests=requests)
    accepted, status = report.scores["accepted"], report.scores["status"]
    assert (accepted.agreed, report.cut_short, report.requests) == (accepted.compared, "", requests), (
        describe_parts(report)
    )
    assert status.share >= 0.995, describe_parts(report)
    assert accepted.compared > requests / 2


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in _SOME else pytest.mark.exhaustive) for name in SETS]
)
def test_a_calibrated_mock_agrees_with_its_deployment(name: str) -> None:
    """The profile of at most 160 requests holds on 2,000 others."""
    assert_agrees(SETS[name], 2000)


@pytest.mark.exhaustive
@pytest.mark.parametrize("choices", [pytest.param(each, id=name) for name, each in iter_mixtures(60)])
def test_a_calibrated_mock_agrees_with_mixtures_of_choices(choices: Choices) -> None:
    """The same holds for random pairs and triples of variants."""
    assert_agrees(choices, 2000)


def test_an_uncalibrated_mock_parts_from_a_deployment() -> None:
    """The same requests show every choice of the deployment that differs, and no broken rule."""
    report = compare_app(build_deployment_app(SETS["default"]), EXAMPLE_HOOK)
    assert report.scores["accepted"].share < 0.97
    assert report.scores["status"].share < 0.05
    parted = {*list_parted(report)}
    assert parted <= {*load_choices()}, describe_parts(report)
    assert {"invalid-body-status", "null-on-create", "created-status", "error-body"} <= parted


@pytest.mark.parametrize(
    "number", [2000, pytest.param(100_000, marks=[pytest.mark.exhaustive, pytest.mark.timeout(3000)])]
)
def test_the_mock_agrees_with_itself(number: int) -> None:
    """No request parts, whatever its seed; PARITY_SEED plays another one."""
    report = compare_app(create_app(), requests=number, seed=int(os.environ.get("PARITY_SEED", "1")))
    assert report.parts == (), describe_parts(report)
    assert (report.requests, report.exit_code) == (number, 0)
    assert report.whole.agreed > 0.99 * number


def iter_options() -> Any:
    """Yield every other option of every choice."""
    for choice in load_choices().values():
        options = [_NUMBERS[choice.number]] if choice.number else choice.options
        for option in options:
            if str(option) != str(choice.usual):
                some = choice.id in ("null-on-update", "busy-status")
                marks = () if some else pytest.mark.exhaustive
                yield pytest.param(choice, option, id=f"{choice.id}-{option}", marks=marks)


@pytest.mark.parametrize(("choice", "option"), [*iter_options()])
def test_another_option_is_reported_as_its_choice(choice: Choice, option: Any) -> None:
    """A mock with one other option parts on this choice, and on nothing else."""
    report = compare_app(create_app(profile={"choices": {choice.id: option}}))
    expected = [] if (choice.id, str(option)) in _UNSEEN else [choice.id]
    assert list_parted(report) == expected, describe_parts(report)


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(rule.id, marks=() if rule.id in _SOME_RULES else pytest.mark.exhaustive)
        for rule in catalogue().values()
        if rule.kind == "constraint"
    ],
)
def test_a_rule_that_is_not_enforced_is_reported(rule: str) -> None:
    """It is named first: itself, or the choice whose option is to have no such rule."""
    report = compare_app(create_app(disabled_rules={rule}))
    names = {rule, *(choice.id for choice in load_choices().values() if rule in choice.disables)}
    names |= {"body-size": {"largest-body"}, "body-text": {"nul-characters"}}.get(rule, set())
    assert list_parted(report)[0] in names, describe_parts(report)
    assert report.exit_code == 1
