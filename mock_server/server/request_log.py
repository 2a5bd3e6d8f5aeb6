"""The log on standard error: one line per request or event, written at once."""

import logging
import sys

_logger = logging.getLogger("mock_server.requests")


def log_request(line: str) -> None:
    """Write one line to standard error."""
    if not _logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        _logger.addHandler(handler)
        _logger.setLevel(logging.INFO)
        _logger.propagate = False
    _logger.info(line)
