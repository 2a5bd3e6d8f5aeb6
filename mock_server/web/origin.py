"""Which site a browser sends a request from. Other clients send neither of the two headers."""

from typing import Protocol


class Headers(Protocol):
    """The header fields of a request."""

    def get(self, name: str, /) -> str | None:
        """Return the value of a field, or None."""
        ...


def is_same_origin(headers: Headers, host: str) -> bool:
    """Return whether the request is from our own page, which a browser has from `host`.

    Browsers send `Sec-Fetch-Site` over TLS and to local hosts only; otherwise `Origin` decides.
    """
    site = headers.get("Sec-Fetch-Site")
    return site == "same-origin" if site else headers.get("Origin") in _own_origins(host)


def is_from_another_site(headers: Headers, host: str) -> bool:
    """Return whether a page of another site sent the request; a person's own typing (`none`) is no page."""
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site:
        return site not in {"same-origin", "none"}
    return origin is not None and origin not in _own_origins(host)


def _own_origins(host: str) -> frozenset[str]:
    return frozenset({f"http://{host}", f"https://{host}"})
