"""The authentication stage: `Authorization` becomes a caller, or violations. One function per rule.

The statuses of the refusals are in `spec/rules.yaml`.
"""

import functools
from collections.abc import Callable

from mock_server.contract.model import Contract, Mismatch, Operation, Violation
from mock_server.validation.callers import Caller, CallerDirectory, token_kind
from mock_server.validation.request import Request

_EXPECTED = "Authorization: Bearer TOKEN"


def auth_required(header: str | None, _callers: CallerDirectory) -> Mismatch | None:
    """Refuse a request without `Authorization`."""
    return _authorization_mismatch("no such header", _EXPECTED) if header is None else None


def auth_bearer(header: str | None, _callers: CallerDirectory) -> Mismatch | None:
    """Refuse another scheme than Bearer, in any letter case, and an empty token."""
    if bearer_token(header):
        return None
    scheme = (header or "").split(" ", 1)[0].lower()
    known = {"": "an empty header", "bearer": "a scheme without a token"}
    return _authorization_mismatch(known.get(scheme, "another scheme than Bearer"), _EXPECTED)


def auth_agent(header: str | None, callers: CallerDirectory) -> Mismatch | None:
    """Refuse an agent key: it does not open the REST surface."""
    token = bearer_token(header)
    caller = callers.find(token)
    if (caller.kind if caller else token_kind(token)) != "ak":
        return None
    expected = "a user-session JWT, a service key (sk-) or a deploy key (dk-)"
    return _authorization_mismatch("an agent key (ak-)", expected)


def auth_known(header: str | None, callers: CallerDirectory) -> Mismatch | None:
    """Refuse a token that the server never issued."""
    if callers.find(bearer_token(header)):
        return None
    return _authorization_mismatch("a token that was never issued", "the token of a known caller")


#: In this order; the first mismatch decides.
AUTHENTICATION_CHECKS: tuple[tuple[str, Callable[[str | None, CallerDirectory], Mismatch | None]], ...] = (
    ("auth-required", auth_required),
    ("auth-bearer", auth_bearer),
    ("auth-agent", auth_agent),
    ("auth-known", auth_known),
)


@functools.lru_cache(100)
def bearer_token(header: str | None) -> str:
    """Return the token of an `Authorization` header, or an empty text."""
    scheme, _, token = (header or "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def identify_caller(
    contract: Contract, callers: CallerDirectory, operation: Operation, request: Request
) -> Caller | list[Violation]:
    """Return the caller of a request, or the violation that refuses it.

    Where the broken rule is disabled, the request acts as the default caller.
    """
    if not operation.secured:
        return callers.default_caller()
    header = request.headers.get("Authorization")
    for rule, check in AUTHENTICATION_CHECKS:
        mismatch = check(header, callers)
        if mismatch and contract.rule_enabled(rule):
            return [Violation(contract.rule(rule), mismatch)]
        if mismatch:
            return callers.default_caller()
    caller = callers.find(bearer_token(header)) or callers.default_caller()
    return _check_options(contract, operation, header, caller) or caller


def _check_options(
    contract: Contract, operation: Operation, header: str | None, caller: Caller
) -> list[Violation]:
    """Return the violation of an option: of `bearer-case`, or of `service-keys` on an operation of the contract."""
    if contract.chosen("bearer-case", "exact") and header and not header.strip().startswith("Bearer "):
        mismatch = _authorization_mismatch("the scheme Bearer in another case", _EXPECTED)
        return [Violation(contract.rule("auth-bearer"), mismatch)]
    choice = contract.choices["service-keys"]
    if (
        caller.kind == "sk"
        and operation.id in choice.operations
        and not contract.chosen(choice.id, "accepted")
    ):
        status = int(str(contract.options[choice.id]).removeprefix("refused-"))
        mismatch = _authorization_mismatch("a service key (sk-)", "a user-session JWT or a deploy key (dk-)")
        return [Violation(contract.choice_rule(choice.id).with_status(status), mismatch)]
    return []


def _authorization_mismatch(actual: str, expected: str) -> Mismatch:
    return Mismatch("header", "/Authorization", actual, expected)
