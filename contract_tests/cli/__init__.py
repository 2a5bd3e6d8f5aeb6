"""The ``contract-tests`` command, one module per sub-command. May import every other room."""
