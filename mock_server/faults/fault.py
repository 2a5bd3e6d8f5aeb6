"""What is done to a call on demand: another answer, a delay, a lost connection, half a body."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mock_server.contract.model import Operation
from mock_server.web import responses
from mock_server.web.responses import Response

#: The longest delay, in seconds: each one keeps a thread of the server.
MAX_DELAY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """What happens to one call. Without a `response` the call is carried out, but for a drop `before` it."""

    response: Response | None = None
    delay: float = 0.0
    drop: str = ""
    truncate_at: int | None = None
    preference_applied: str = ""

    def truncated_size(self, size: int) -> int:
        """How many bytes of a body of that size are sent; never all of them."""
        wanted = size // 2 if self.truncate_at is None or self.truncate_at < 0 else self.truncate_at
        return min(wanted, max(size - 1, 0))


def declared_statuses(operation: Operation) -> tuple[int, ...]:
    """The exact statuses that the contract declares for an operation."""
    codes = (str(code) for code in operation.responses)
    return tuple(sorted(int(code) for code in codes if re.fullmatch("[2-5][0-9][0-9]", code)))


def declared_example(operation: Operation, status: int) -> Response | None:
    """The contract's example of an answer of that status, if it declares the status."""
    found = {str(code): response for code, response in operation.responses.items()}.get(str(status))
    if status not in declared_statuses(operation) or not isinstance(found, Mapping):
        return None
    said = str(found.get("description", responses.reason_phrase(status)))
    media_type, content = next(iter((found.get("content") or {}).items()), ("", {}))
    if not media_type:
        return Response(status, b"")
    plain = responses.problem_response(status, said)
    if media_type == responses.PROBLEM_TYPE and _example(content) is None:
        return plain
    example = _example(content)
    text = example if isinstance(example, str) and "json" not in media_type else json.dumps(example)
    return Response(status, text.encode("utf-8", "replace"), media_type, plain.headers)


def example_or_problem(operation: Operation | None, status: int, why: str) -> Response:
    """The contract's example where it declares the status, or a problem document."""
    found = declared_example(operation, status) if operation is not None else None
    if found is not None:
        return found
    return responses.problem_response(status, why) if status >= 400 else Response(status, b"")


def _example(content: Mapping[str, Any]) -> Any:
    if "example" in content:
        return content["example"]
    first: Any = next(iter((content.get("examples") or {}).values()), {})
    return first.get("value") if isinstance(first, Mapping) else None
