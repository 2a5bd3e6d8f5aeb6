"""The commands, one module per sub-command. May import every other room."""
