"""The services that cases share."""

import json

from contract_tests.cases.model import Case, Step
from contract_tests.execution.factory import open_executor
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.gate import judge_app, open_app_executor, violated_rules
from tests.support.gate.messages import REFUSED, Request, Response, Send
from tests.support.gate.planting import add_interceptor


def test_an_observation_has_the_create_of_its_shared_service() -> None:
    """Two updates of one shared service have the same create before them; a case with its own service has none."""
    executor = open_executor(WsgiTarget(create_app()))
    update = Step("updateContainer", service="shared:external", body={"display_name": "New"}, expect="accept")
    first, second = (executor.run_case(Case(f"c{n}", "updated", "cases", (update,))) for n in (1, 2))
    (create,) = first.setup
    assert first.setup == second.setup
    assert (create.method, create.status) == ("POST", 201)
    assert json.loads(create.response_body)["id"] in first.exchanges[-1].url
    own = Step(body=executor.controls.bodies["deployed"], expect="accept")
    assert executor.run_case(Case("c3", "created", "cases", (own,))).setup == ()


def test_an_update_that_needs_a_whole_body_overwrites_nothing_that_is_read_later() -> None:
    """Where one caller's empty update is refused, its whole body resets what a colleague set: nothing is proved."""

    def refuse_empty(request: Request, send: Send) -> Response:
        empty = request.operation == "update" and request.kind == "sk" and request.value == {}
        return REFUSED if empty else send(request)

    create = Step(caller="sk-red", body={"display_name": "Ours", "docker_image": "nginx:1.27"})
    renamed = Step(
        "updateContainer", "dk-red", body={"display_name": "New"}, expect="accept", rule="team-scope"
    )
    described = Step("updateContainer", "sk-red", body={"service_desc": "A text"})
    read = Step("readContainer", "sk-red", shows=(("display_name", "New"), ("service_desc", "A text")))
    case = Case("c1", "update-keeps-omitted", "lifecycle", (create, renamed, described, read))
    judgement = open_app_executor(add_interceptor(create_app(), refuse_empty)).run_case(case).judgement
    assert judgement.outcome == "inconclusive"
    assert judgement.reason == "an update that leaves anything out is refused here"


def test_an_empty_update_that_is_refused_hides_no_documented_status() -> None:
    """Where the empty update is refused by itself, a request with a documented status has a whole body."""

    def refuse_empty(request: Request, send: Send) -> Response:
        return Response(422) if request.operation == "update" and request.value == {} else send(request)

    nameless = Step(
        "updateContainer",
        "jwt-red",
        headers=(("X-Team-ID", None),),
        service="shared:deployed",
        body={},
        expect="refuse",
    )
    case = Case("c1", "team-required-for-jwt", "wire", (nameless,))
    observed = open_app_executor(add_interceptor(create_app(), refuse_empty)).run_case(case)
    assert (observed.judgement.outcome, observed.exchanges[-1].status) == ("passed", 400)


def test_a_whole_body_has_the_type_of_the_service_that_the_case_created() -> None:
    """Where an update needs a whole body, a null credential of an external service is sent with its URL."""

    def refuse_partial(request: Request, send: Send) -> Response:
        body = request.value if isinstance(request.value, dict) else {}
        whole = "display_name" in body and ("docker_image" in body or "external_url" in body)
        return REFUSED if request.operation == "update" and not whole else send(request)

    app = add_interceptor(
        create_app(profile={"choices": {"docker-image-on-external-update": "refused"}}), refuse_partial
    )
    executor = open_app_executor(app)
    create = Step(body=executor.controls.bodies["external"])
    cleared = Step("updateContainer", body={"external_auth_credential_id": None}, expect="accept")
    case = Case("c1", "external-credential-null-accepted", "lifecycle", (create, cleared))
    assert executor.run_case(case).judgement.outcome == "passed"


def test_a_target_without_external_services_breaks_one_rule() -> None:
    """Where every external create is refused, the rule of the type is violated, and no rule of their properties."""

    def refuse_external(request: Request, send: Send) -> Response:
        is_external = request.operation == "create" and request.body.get("service_type") == "external"
        return REFUSED if is_external else send(request)

    report = judge_app(add_interceptor(create_app(), refuse_external), layers=("cases", "wire"))
    assert violated_rules(report) == {"service-type-enum"}


def test_a_control_that_fails_by_chance_is_sent_again() -> None:
    """A server error to the first create or update of a control leaves the rules of these services judged."""
    failed: set[tuple[str, str | None]] = set()

    def fail_first(request: Request, send: Send) -> Response:
        key = (request.operation, request.header("Authorization"))
        is_external = request.body.get("service_type") == "external"
        if key in failed or not (is_external or (request.operation == "update" and failed)):
            return send(request)
        failed.add(key)
        return Response(500)

    app, rules = add_interceptor(create_app(), fail_first), frozenset({"external-url-length"})
    report = judge_app(app, rules=rules, layers=("cases",))
    assert {operation for operation, _ in failed} == {"create", "update"}
    assert [row.verdict for row in report.verdicts if row.rule.id in rules] == ["conforms"]
