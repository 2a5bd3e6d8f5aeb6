"""What someone who knows Schemathesis tells it, so that it finds nothing on a correct server: two filters.

A team in the header of a caller with a key is ignored; and what only the state refuses is not in the schema.
"""

from typing import Any

import schemathesis

_STATE = {"external_url", "external_auth_credential_id"}


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Whether a failure is to be told."""
    del context, response
    kind = type(failure).__name__
    if kind == "AcceptedNegativeData":
        return "`X-Team-ID` in header" not in failure.message
    if kind == "RejectedPositiveData":
        text = ascii(case.body)
        of_state = case.method.upper() == "PUT" and isinstance(case.body, dict) and _STATE & case.body.keys()
        return not of_state and "\\x00" not in text and "\\ud" not in text
    return True
