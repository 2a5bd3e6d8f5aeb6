"""Encodings in which a text may repeat a token."""

import base64
import json
from collections.abc import Callable

ENCODINGS: dict[str, Callable[[bytes], bytes | str]] = {
    "base64": base64.b64encode,
    "base64url": base64.urlsafe_b64encode,
    "base32": base64.b32encode,
    "hex": bytes.hex,
    "buffer-of-node": lambda data: f"<Buffer {data.hex(' ')}>",
    "fingerprint": lambda data: data.hex(":").upper(),
    "json-of-a-buffer": lambda data: json.dumps([*data], separators=(",", ":")),
    "list-of-bytes": lambda data: str([*data]),
}
