"""Reports that code hosts show beside the code: ``--format`` adds each to the report folder. Like ``reports``."""
