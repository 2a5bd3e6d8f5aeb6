"""Which `Host` may name this server.

A site can give its own name the address of the mock (DNS rebinding), and a browser then takes both for one site. So
names that somebody can register on the internet are refused, unless the user allows them.
"""

import ipaddress
import re

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+?)\.?)(?::[0-9]*)?", re.IGNORECASE)
#: Ends of names that nobody can register (RFC 6761, RFC 6762, RFC 8375, and .internal of ICANN).
_PRIVATE_ENDS = (".localhost", ".local", ".internal", ".test", ".home.arpa")


def is_private_host(host: str, allowed: frozenset[str]) -> bool:
    """Return whether a `Host` is an address, a name that nobody can register, or one of the `allowed` names."""
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = (match[1] or match[2]).lower()
    return not _is_broken_idna(name) and (
        "." not in name
        or name.endswith(_PRIVATE_ENDS)
        or name in map(str.lower, allowed)
        or _is_address(name)
    )


def _is_broken_idna(name: str) -> bool:
    """Return whether a part of a name is no encoding of a text in other letters, so that no page can show it."""
    try:
        name.encode("ascii").decode("idna")
    except UnicodeError:
        return True
    return False


def is_loopback(name: str) -> bool:
    """Return whether only programs on this machine reach a server that listens at this name or address."""
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
