"""What goes over the wire: responses, redaction, journal, WSGI middleware. May import validation and above."""
