"""The commands, one module each. May import every room above."""
