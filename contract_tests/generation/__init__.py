"""Generated cases: oracle, state model, scenarios, bodies and their mutation. May import cases and below."""
