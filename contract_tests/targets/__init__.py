"""Targets under test: HTTP and WSGI, rate limit, control hook, recorded exchanges. May import contract."""
