"""The commands. May import every room above."""
