"""Header fields in a proxy (RFC 9110, section 7.6): forwarding, `Via`, and the report of violations."""

from collections.abc import Iterable

from mock_server.contract.model import Violation

HeaderFields = list[tuple[str, str]]

#: Header of the report, on each response to a request of the contract.
REPORT_HEADER = "Contract-Violations"
#: Never forwarded, like the fields that `Connection` names.
_HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"),
        *("proxy-connection", "proxy-authenticate", "proxy-authentication-info", "proxy-authorization"),
    }
)


def forward_headers(fields: HeaderFields, version: str, proxy_name: str) -> HeaderFields:
    """Return the fields to forward, in order, and a `Via` with the HTTP version of the message and the proxy."""
    connection_options = {
        option.strip().lower()
        for name, value in fields
        if name.lower() == "connection"
        for option in value.split(",")
    }
    dropped = _HOP_BY_HOP | connection_options
    forwarded = [field for field in fields if field[0].lower() not in dropped]
    return [*forwarded, ("Via", f"{version} {proxy_name}")]


def header_values(fields: HeaderFields, name: str) -> list[str]:
    """Return the values of the fields of that name."""
    return [value for key, value in fields if key.lower() == name.lower()]


def without_headers(fields: HeaderFields, *names: str) -> HeaderFields:
    """Return the fields without those of the names, which are in lower case."""
    return [field for field in fields if field[0].lower() not in names]


def format_report(violations: Iterable[Violation]) -> str:
    """Return the report as a list of tokens with parameters (RFC 9651), or `none`.

    A rule appears at most once for the request and once for the response. No value of either is repeated.
    """
    items = (f"{v.rule.id};in={violation_side(v)};grade={v.rule.grade}" for v in violations)
    return ", ".join(dict.fromkeys(items)) or "none"


def violation_side(violation: Violation) -> str:
    """Return `request` or `response`, whichever breaks the rule."""
    return "response" if violation.mismatch.location == "response" else "request"
