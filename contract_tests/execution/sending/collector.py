"""Sessions of the OpenTelemetry exporter whose responses are bounded, whatever the collector sends."""

import io
from contextlib import suppress
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

_MAX_BYTES = 64 * 1024


class _BoundedAdapter(HTTPAdapter):
    """Reads only the first bytes of a response: the status is all that counts."""

    def send(self, *args: Any, **options: Any) -> requests.Response:
        """Send a request; return its response with the beginning of its body."""
        response = super().send(*args, **options)
        body, response.raw = response.raw, io.BytesIO()
        with suppress(urllib3.exceptions.HTTPError):
            response.raw.write(body.read1(_MAX_BYTES, decode_content=False))
            response.raw.seek(0)
        body.close()
        body.release_conn()
        return response


def open_bounded_session() -> requests.Session:
    """Return a session for `OTLPSpanExporter`, which would read a response without end."""
    session = requests.Session()
    for prefix in ("http://", "https://"):
        session.mount(prefix, _BoundedAdapter())
    return session
