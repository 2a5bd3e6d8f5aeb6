"""An injected fault: another response, a delay, a dropped connection or a truncated body."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mock_server.contract.model import Operation
from mock_server.faults.refusals import Refusals
from mock_server.web import responses
from mock_server.web.responses import Response

#: Limit of a delay, since a delayed request occupies a thread in some servers.
MAX_DELAY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault of one request.

    With a `response`, or a `drop` of `before`, the request is not carried out. A `truncate_at` of -1 sends half of
    the response body. `source` is `script`, `prefer` or `random`, and empty for the refusal of an
    invalid preference.
    """

    response: Response | None = None
    delay: float = 0.0
    drop: str = ""
    truncate_at: int | None = None
    preference_applied: str = ""
    source: str = ""

    def truncated_size(self, size: int) -> int:
        """Return the number of bytes to send of a body of that size; never all of them."""
        limit = size // 2 if self.truncate_at is None or self.truncate_at < 0 else self.truncate_at
        return min(limit, max(size - 1, 0))


def declared_statuses(operation: Operation) -> tuple[int, ...]:
    """Return the exact statuses that the contract declares for an operation."""
    codes = (str(code) for code in operation.responses)
    return tuple(sorted(int(code) for code in codes if re.fullmatch("[2-5][0-9][0-9]", code)))


def declared_example(operation: Operation, status: int) -> Response | None:
    """Return the contract's example of a response with that status, or None if the status is not declared."""
    declared = {str(code): response for code, response in operation.responses.items()}.get(str(status))
    if status not in declared_statuses(operation) or not isinstance(declared, Mapping):
        return None
    description = str(declared.get("description", responses.reason_phrase(status)))
    media_type, content = next(iter((declared.get("content") or {}).items()), ("", {}))
    if not media_type:
        return Response(status, b"")
    problem = responses.problem_response(status, description)
    if media_type == responses.PROBLEM_TYPE and _find_example(content) is None:
        return problem
    example = _find_example(content)
    text = example if isinstance(example, str) and "json" not in media_type else json.dumps(example)
    return Response(status, text.encode("utf-8", "replace"), media_type, problem.headers)


def declared_response(operation: Operation, status: int, refusals: Refusals) -> Response | None:
    """Return a response with that status as the mock sends it, or None if the status is not declared.

    An error is the refusal of a rule, that of the contract's example if it names one; a success is the example.
    """
    example = declared_example(operation, status)
    if example is None or example.media_type != responses.PROBLEM_TYPE:
        return example
    violations = json.loads(example.body).get("violations") or [{}]
    return refusals.for_status(operation, status, violations[0].get("rule", "")) or example


def any_response(operation: Operation, status: int, refusals: Refusals) -> Response:
    """Return a response with that status; without a rule, an error has no violations."""
    response = declared_response(operation, status, refusals) or refusals.for_status(operation, status)
    if response is not None:
        return response
    phrase = responses.reason_phrase(status)
    return responses.problem_response(status, phrase) if status >= 400 else Response(status, b"")


def _find_example(content: Mapping[str, Any]) -> Any:
    if "example" in content:
        return content["example"]
    first: Any = next(iter((content.get("examples") or {}).values()), {})
    return first.get("value") if isinstance(first, Mapping) else None
