"""What is tested: HTTP and WSGI targets, rate limit, control hook, recorded exchanges. May import contract."""
