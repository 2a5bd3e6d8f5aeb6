"""Probes on servers that choose by halves: what has no option is not seen, and odd sizes are found."""

from collections.abc import Callable

import pytest

from contract_tests.calibration.probes.table import PROBES
from contract_tests.calibration.probing.prober import Prober
from contract_tests.calibration.probing.sighting import CannotSee
from contract_tests.calibration.probing.wire import Wire
from contract_tests.execution.factory import ExecutorOptions, open_executor
from contract_tests.execution.preflight.run import apply_preflight, run_preflight
from contract_tests.targets.wsgi import WsgiTarget
from mock_server import create_app
from tests.support.gate.calibration import build_mock
from tests.support.gate.gate import MOCK_HOOK, App, spec
from tests.support.gate.messages import Request, Response, Send
from tests.support.gate.planting import add_interceptor


def open_prober(app: App) -> Prober:
    """Return a prober of an app."""
    executor = open_executor(WsgiTarget(app), options=ExecutorOptions(control_hook=MOCK_HOOK, spec=spec()))
    listed = executor.controls.caller_pool
    apply_preflight(executor, run_preflight(executor))
    return Prober(Wire(executor, listed))


def refuse(when: Callable[[Request], bool], status: int = 400) -> App:
    """Return a mock that refuses some requests of the operations."""

    def intercept(request: Request, send: Send) -> Response:
        return Response(status) if request.operation and when(request) else send(request)

    return add_interceptor(build_mock(), intercept)


@pytest.mark.parametrize("size", [16_384, 50_000, 100_000])
def test_the_largest_body_is_found_to_the_byte(size: int) -> None:
    """A usual limit takes a few requests, any other some twenty."""
    prober = open_prober(create_app(profile={"choices": {"largest-body": size, "too-large-status": 400}}))
    before = prober.wire.requests
    assert PROBES["largest-body"](prober).option == size
    assert PROBES["too-large-status"](prober).option == 400
    assert prober.wire.requests - before <= 25


def test_a_limit_among_megabytes_is_not_searched() -> None:
    """Between two usual limits of megabytes no size is found, but the status of the refusal is."""
    prober = open_prober(create_app(profile={"choices": {"largest-body": 3_000_001}}))
    with pytest.raises(CannotSee, match="one of 4,194,304 bytes is refused"):
        PROBES["largest-body"](prober)
    assert PROBES["too-large-status"](prober).option == 413


@pytest.mark.parametrize(
    ("choice", "app", "reason"),
    [
        (
            "bearer-case",
            refuse(lambda r: "BEARER" in str(r.header("Authorization")), 401),
            "the answers differ",
        ),
        (
            "invalid-body-status",
            refuse(lambda r: r.body.get("display_name") == 7, 422),
            "the statuses differ",
        ),
        ("integral-floats", refuse(lambda r: b"8080.0" in r.raw), "the answers differ"),
        (
            "private-hosts",
            refuse(lambda r: "localhost" in str(r.body.get("external_url"))),
            "the answers differ",
        ),
        ("empty-team", refuse(lambda r: r.header("X-Team-ID") == "", 422), "neither like that of a missing"),
        ("repeated-items", refuse(lambda r: r.raw.count(b'"gpu"') > 1), "the answers differ"),
        (
            "media-type-parameters",
            refuse(lambda r: "charset=utf-8" in str(r.header("Content-Type"))),
            "no option",
        ),
        ("unauthenticated-status", refuse(lambda r: not r.header("Authorization"), 405), "proves nothing"),
        ("slug-taken-status", create_app(disabled_rules={"slug-unique"}), "breaks the rule slug-unique"),
        ("agent-key-status", create_app(disabled_rules={"auth-agent"}), "breaks the rule auth-agent"),
        ("foreign-service-status", create_app(disabled_rules={"team-scope"}), "breaks the rule team-scope"),
        ("busy-status", create_app(disabled_rules={"not-while-busy"}), "breaks the rule not-while-busy"),
        (
            "invalid-body-status",
            refuse(lambda r: r.operation == "create" and "display_name" not in r.body, 409),
            "proves nothing: a 409 may be about the slug",
        ),
        ("error-body", refuse(lambda r: not r.header("Authorization"), 401), "nothing was refused"),
    ],
)
def test_what_has_no_option_is_not_seen(choice: str, app: App, reason: str) -> None:
    """A server that decides one way here and another way there, or breaks a rule, shows no option."""
    with pytest.raises(CannotSee, match=reason):
        PROBES[choice](open_prober(app))


def test_a_body_that_is_not_read_is_not_read_as_json() -> None:
    """A server that takes a body without Content-Type and ignores it has neither option."""

    def intercept(request: Request, send: Send) -> Response:
        if request.operation == "update" and request.header("Content-Type") is None:
            request = request.with_header("Content-Type", "application/json").with_raw(b"{}")
        return send(request)

    with pytest.raises(CannotSee, match="a wrong value in such a body is not noticed"):
        PROBES["missing-media-type"](open_prober(add_interceptor(build_mock(), intercept)))


def test_the_first_of_repeated_keys_is_no_option() -> None:
    """Where the first value counts, the choice is not seen."""

    def intercept(request: Request, send: Send) -> Response:
        return send(request.setting(display_name="First") if b'"First"' in request.raw else request)

    with pytest.raises(CannotSee, match="not the last value counts"):
        PROBES["repeated-keys"](open_prober(add_interceptor(build_mock(), intercept)))


def test_a_rule_that_is_enforced_now_and_then_shows_no_order() -> None:
    """A fault that is not refused again proves no order of the checks."""
    seen: list[int] = []

    def intercept(request: Request, send: Send) -> Response:
        if request.operation == "update" and request.header("Authorization") is None:
            seen.append(1)
            return Response(401) if len(seen) == 1 else send(request.with_header("Authorization", TOKEN))
        return send(request)

    with pytest.raises(CannotSee, match=r"breaks the rule auth-required|do not tell"):
        PROBES["check-order"](open_prober(add_interceptor(build_mock(), intercept)))


TOKEN = "Bearer sk-red-5f0c7c1e9a"


def test_values_that_a_create_takes_otherwise_are_not_seen() -> None:
    """A choice of both operations that updates and creates decide differently is not seen."""
    from contract_tests.calibration.probes.confirmation import confirm_on_create

    prober = open_prober(refuse(lambda r: r.operation == "create" and "x_calibration" in r.body))
    seen = {name: PROBES[name](prober) for name in ("unknown-properties", "env-name")}
    confirmed = dict(confirm_on_create(prober, seen))
    assert str(confirmed["unknown-properties"]).startswith("an update is accepted, a create is refused")
    assert confirmed["env-name"] == seen["env-name"]


def test_null_that_clears_a_value_is_not_absent() -> None:
    """An update that null empties is neither refused nor like one without the property."""

    def intercept(request: Request, send: Send) -> Response:
        cleared = {name: "" for name in ("service_desc", "health_path") if request.body.get(name, "") is None}
        body = {name: value for name, value in request.body.items() if value is not None}
        is_changed = request.operation == "update" and None in request.body.values()
        return send(request.with_body({**body, **cleared}) if is_changed else request)

    with pytest.raises(CannotSee, match="did not keep what was stored"):
        PROBES["null-on-update"](open_prober(add_interceptor(build_mock(), intercept)))


def test_a_refusal_page_is_no_plain_text() -> None:
    """A refusal in HTML has none of the known forms."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        return response if response.accepted else Response(response.status, b"<p>No</p>", "text/html")

    prober = open_prober(add_interceptor(build_mock(), intercept))
    PROBES["unauthenticated-status"](prober)
    with pytest.raises(CannotSee, match="text/html, which is no option"):
        PROBES["error-body"](prober)


def test_a_refusal_that_is_nested_too_deeply_is_not_read() -> None:
    """A refusal in JSON that no reader takes is none of the known forms, and ends no calibration."""

    def intercept(request: Request, send: Send) -> Response:
        response = send(request)
        return response if response.accepted else Response(response.status, b"[" * 100_000)

    prober = open_prober(add_interceptor(build_mock(), intercept))
    PROBES["unauthenticated-status"](prober)
    with pytest.raises(CannotSee, match="and not JSON"):
        PROBES["error-body"](prober)


def test_the_violations_that_are_told_now_and_then_are_not_seen() -> None:
    """Where the same request is refused for one value now and for both then, nothing is told of the choice."""
    seen: list[int] = []

    def intercept(request: Request, send: Send) -> Response:
        if {request.body.get(name) for name in ("exposed_port", "replica_count")} == {0}:
            seen.append(1)
            return send(request.setting(replica_count=1) if len(seen) == 1 else request)
        return send(request)

    with pytest.raises(CannotSee, match="now for one value"):
        PROBES["reported-violations"](open_prober(add_interceptor(build_mock(), intercept)))


def test_a_status_that_an_unknown_token_has_is_not_certain() -> None:
    """The refusal of an agent key may be about its token; another status cannot be."""
    alike = PROBES["agent-key-status"](open_prober(build_mock()))
    other = PROBES["agent-key-status"](open_prober(refuse(lambda r: r.kind == "ak", 403)))
    assert (alike.option, alike.confidence) == (401, "medium")
    assert (other.option, other.confidence) == (403, "high")


def test_a_service_that_stays_busy_shows_no_status() -> None:
    """The refusals count only if the service takes updates again once it runs."""
    updates: list[int] = []

    def is_late(request: Request) -> bool:
        updates.extend([1] if request.operation == "update" else [])
        return (
            request.operation == "update" and len(updates) > 3
        )  # plain, created, deploying; then stopping, running

    with pytest.raises(CannotSee, match="while the service is running"):
        PROBES["busy-status"](open_prober(refuse(is_late, 409)))


def test_keys_that_may_be_wrong_are_no_choice() -> None:
    """A 401 for each sk- key counts only if the read-back knows them."""

    def intercept(request: Request, send: Send) -> Response:
        return Response(401) if request.kind == "sk" else send(request)

    with pytest.raises(CannotSee, match="nothing shows that their tokens are right"):
        PROBES["service-keys"](open_prober(add_interceptor(build_mock(), intercept)))


@pytest.mark.parametrize("rule", ["slug-immutable", "service-type-immutable"])
def test_a_property_that_an_update_changes_is_no_choice(rule: str) -> None:
    """Naming the slug or the type must have no effect; where it has one, that is a fault."""
    with pytest.raises(CannotSee, match="the read-back"):
        PROBES["immutable-properties"](open_prober(create_app(disabled_rules={rule})))


@pytest.mark.parametrize(
    ("operation", "name", "choice", "rule"),
    [
        ("update", "env_config", "env-name", "env-value-type"),
        ("update", "gpu_count", "gpu-count-below-minus-one", "gpu-count-type"),
        ("update", "external_auth_credential_id", "unknown-credentials", "external-credential-format"),
        ("create", "service_desc", "null-on-create", "service-desc-type"),
        ("create", "service_desc", "empty-docker-image", "service-desc-type"),
    ],
)
def test_an_acceptance_proves_nothing_where_wrong_values_are_accepted(
    operation: str, name: str, choice: str, rule: str
) -> None:
    """A server that does not look at a property accepts everything in it, which is no choice."""

    def intercept(request: Request, send: Send) -> Response:
        if request.operation != operation or name not in request.body:
            return send(request)
        nulls = {each for each, value in request.body.items() if value is None}
        return send(request.with_body({k: v for k, v in request.body.items() if k not in {name, *nulls}}))

    with pytest.raises(CannotSee, match=f"breaks the rule {rule}"):
        PROBES[choice](open_prober(add_interceptor(build_mock(), intercept)))


def test_ids_of_both_cases_have_no_option() -> None:
    """An id with capitals and small letters is written in neither case."""

    def mix(request: Request, send: Send) -> Response:
        response = send(request)
        if not (response.accepted and request.operation):
            return response
        letters = sorted(set(response.value["id"]) & set("abcdef"))
        mixed = response.value["id"].replace(letters[0], letters[0].upper())
        return response.with_value({"id": mixed})

    with pytest.raises(CannotSee, match="both cases"):
        PROBES["id-case"](open_prober(add_interceptor(build_mock(), mix)))


def test_a_body_without_a_limit_is_learnt_with_the_size_that_was_sent() -> None:
    """More is not known: the confidence is medium, and no status of a refusal is seen."""
    prober = open_prober(create_app(profile={"choices": {"largest-body": 5_000_000}}))
    sighting = PROBES["largest-body"](prober)
    assert (sighting.option, sighting.confidence) == (4_194_304, "medium")
    with pytest.raises(CannotSee, match="no larger one was sent"):
        PROBES["too-large-status"](prober)
