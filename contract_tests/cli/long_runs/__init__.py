"""What long commands need: their progress, and the options of a run that is resumed. May import every other room."""
