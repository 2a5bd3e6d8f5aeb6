"""Values of which the pages leave open whether they are valid: hosts, URLs, UUIDs and texts."""

import ipaddress
import re
from urllib.parse import urlsplit
from uuid import UUID

from mock_server.validation.callers import UUID_PATTERN

_LOCAL_NAMES = (".localhost", ".local", ".internal")
_UUID_FORM = re.compile(r"(?:urn:uuid:)?\{?[0-9a-fA-F-]+\}?")
#: A UUID of a version from 1 to 7 and of the variant that RFC 9562 describes.
_KNOWN_VERSION = re.compile(r"[^-]{8}-[^-]{4}-[1-7][^-]{3}-[89ab][^-]{3}-[^-]{12}", re.IGNORECASE)
_CONTROL_CHARACTER = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: In the authority of a URL no parser reads them.
_NEVER_IN_AUTHORITY = frozenset(" <")


def read_uuid(text: str) -> str:
    """Return a UUID in braces, after `urn:uuid:` or without hyphens in its usual form; any other text as it is."""
    if UUID_PATTERN.fullmatch(text) or not _UUID_FORM.fullmatch(text):
        return text
    try:
        return str(UUID(text))
    except ValueError:
        return text


def has_known_version(uuid: str) -> bool:
    """Return whether a UUID has a version from 1 to 7; a text that is no UUID has none to object to."""
    return not UUID_PATTERN.fullmatch(uuid) or _KNOWN_VERSION.fullmatch(uuid) is not None


def has_control_character(text: str) -> bool:
    """Return whether a text has a control character other than NUL, tab and line ends."""
    return _CONTROL_CHARACTER.search(text) is not None


def read_host(url: str) -> str:
    """Return the host of a URL, or an empty text."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_private_host(host: str) -> bool:
    """Return whether no public network has the host."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(_LOCAL_NAMES)


def is_one_label(host: str) -> bool:
    """Return whether a host is a name of one label other than localhost."""
    return bool(host) and host != "localhost" and not {".", ":"} & set(host)


def is_url_but_for_characters(text: str) -> bool:
    """Return whether a text has a scheme, a host and a valid port, whatever its other characters."""
    try:
        parts = urlsplit(text)
        is_port_valid = parts.port is None or parts.port >= 0
    except ValueError:
        return False
    return bool(parts.scheme) and is_port_valid and not _NEVER_IN_AUTHORITY & set(parts.netloc)
