"""Two Schemathesis filters that remove its alarms on a correct server.

A caller with a key may send any team in the header: it is ignored. Rules of the state are not part of the schema.
"""

from typing import Any

import schemathesis

_STATE_FIELDS = {"external_url", "external_auth_credential_id"}


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Return whether Schemathesis reports a failure."""
    del context, response
    kind = type(failure).__name__
    if kind == "AcceptedNegativeData":
        return "`X-Team-ID` in header" not in failure.message
    if kind == "RejectedPositiveData":
        text, is_update = ascii(case.body), case.method.upper() == "PUT"
        depends_on_state = is_update and isinstance(case.body, dict) and _STATE_FIELDS & case.body.keys()
        return not depends_on_state and "\\x00" not in text and "\\ud" not in text
    return True
