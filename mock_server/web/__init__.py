"""Responses, redaction, the journal and the WSGI middleware. May import validation and the rooms above."""
