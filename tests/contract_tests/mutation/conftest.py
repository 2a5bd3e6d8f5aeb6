"""The session with the mock and the unchanged contract, which all tests of mutation share."""

import pytest

from contract_tests.mutation.session import MutationSession, open_session

MOCK = "wsgi:mock_server:create_app"
HOOK = "/_mock/services/{id}/status/{status}"


@pytest.fixture(scope="package")
def session() -> MutationSession:
    """Return a session with the mock and the unchanged contract."""
    return open_session(MOCK, control_hook=HOOK)
