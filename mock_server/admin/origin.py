"""Which site a browser sends a request from. Other clients send neither of the two headers."""

from flask import request


def is_same_origin() -> bool:
    """Return whether the request is from our own page.

    Browsers send `Sec-Fetch-Site` over TLS and to local hosts only; otherwise `Origin` decides.
    """
    site = request.headers.get("Sec-Fetch-Site")
    return site == "same-origin" if site else request.headers.get("Origin") in _own_origins()


def is_from_another_site() -> bool:
    """Return whether a page of another site sent the request; a person's own typing (`none`) is no page."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site:
        return site not in {"same-origin", "none"}
    return origin is not None and origin not in _own_origins()


def _own_origins() -> frozenset[str]:
    return frozenset({f"http://{request.host}", f"https://{request.host}"})
