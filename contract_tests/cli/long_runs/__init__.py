"""Parts of long commands: their progress, and the options of a run that is resumed. May import every other room."""
