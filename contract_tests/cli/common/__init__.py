"""What the commands share: options, errors, and the end of a command. Imported by the commands."""
