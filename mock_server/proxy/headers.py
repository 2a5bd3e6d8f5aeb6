"""Header fields on their way through a proxy (RFC 9110, 7.6): which go on, `Via`, and the report."""

from collections.abc import Iterable

from mock_server.contract.model import Violation

HeaderFields = list[tuple[str, str]]

#: The field of the report, on each answer to a call of the contract.
REPORT_HEADER = "Contract-Violations"
#: They are for the next hop only, as is what `Connection` names.
_HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"),
        *("proxy-connection", "proxy-authenticate", "proxy-authentication-info", "proxy-authorization"),
    }
)


def forward_headers(fields: HeaderFields, version: str, by: str) -> HeaderFields:
    """The fields that go on, in their order, and the `Via` of the one who forwards them.

    `version` is that of the protocol in which they came, such as `1.1`.
    """
    named = {
        option.strip().lower()
        for name, value in fields
        if name.lower() == "connection"
        for option in value.split(",")
    }
    kept = [field for field in fields if field[0].lower() not in _HOP_BY_HOP | named]
    return [*kept, ("Via", f"{version} {by}")]


def header_values(fields: HeaderFields, name: str) -> list[str]:
    """The values of the fields of that name."""
    return [value for key, value in fields if key.lower() == name.lower()]


def without_headers(fields: HeaderFields, *names: str) -> HeaderFields:
    """The fields but for those of the names, which are in lower case."""
    return [field for field in fields if field[0].lower() not in names]


def format_report(violations: Iterable[Violation]) -> str:
    """The violations as a list of tokens with parameters (RFC 9651); the token `none` where there are none.

    A rule is told once for the request and once for the answer, and nothing that was sent is repeated.
    """
    items = (f"{v.rule.id};in={violation_side(v)};grade={v.rule.grade}" for v in violations)
    return ", ".join(dict.fromkeys(items)) or "none"


def violation_side(violation: Violation) -> str:
    """What breaks the rule: the `request`, or the `answer`."""
    return "response" if violation.mismatch.location == "response" else "request"
