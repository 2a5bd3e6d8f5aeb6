"""The ``contract-tests`` command: `main` has the group, `commands` its commands. May import all rooms."""
