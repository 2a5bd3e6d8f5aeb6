"""The request as the checks see it."""

from collections.abc import Mapping
from typing import NamedTuple


class Request(NamedTuple):
    """One request to an operation.

    `headers` have names in title case, `raw_body` is cut at the size limit, `body_size` is the size of the whole body
    in bytes, and `path_values` holds the path parameters by name.
    """

    headers: Mapping[str, str]
    raw_body: bytes
    body_size: int
    path_values: Mapping[str, str]
