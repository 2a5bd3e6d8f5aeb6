"""Planning: which cases tell most per request, for runs with a budget. May import cases, generation and execution."""
