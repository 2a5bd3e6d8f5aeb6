"""A finding as shell commands, which send its requests again with fresh slugs. Imported by findings and reports."""
