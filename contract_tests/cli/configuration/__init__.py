"""The configuration file: options of the commands, and the targets of a team. Imported by the commands."""
