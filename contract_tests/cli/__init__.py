"""The ``contract-tests`` command: its options, errors and end; `commands` has the rest. May import all rooms."""
