"""Sharpening: the smaller value that a finding shows is as valid as the one that was refused."""

from contract_tests.cases.model import Case, Step
from contract_tests.diagnosis.causes.sharpening import sharpen_refusal
from mock_server import create_app
from tests.support.gate.gate import open_app_executor
from tests.support.gate.messages import REFUSED
from tests.support.gate.planting import add_interceptor

#: Its first 20 characters end within an escape, so that they are no URL.
LONG_URL = "https://example.co/%41" + "a" * 300


def test_a_long_url_is_not_cut_within_an_escape() -> None:
    """Where long URLs are refused, the finding shows a long one: a cut one that is no URL is refused rightly."""
    app = add_interceptor(
        create_app(), lambda r, send: REFUSED if len(str(r.body.get("external_url"))) > 300 else send(r)
    )
    executor = open_app_executor(app)
    body = {**executor.controls.bodies["external"], "external_url": LONG_URL}
    case = Case(
        "a-long-url",
        "external-url-length",
        "cases",
        (Step(caller="jwt-red", body=body, expect="accept"),),
        value=("createContainer", "service", "external_url"),
    )
    found = sharpen_refusal(executor, executor.run_case(case))
    assert found.case.steps[-1].body["external_url"] == LONG_URL
