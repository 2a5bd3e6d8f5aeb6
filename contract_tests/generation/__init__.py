"""Generated cases: oracle, state model, scenarios, bodies and mutations. May import cases and the rooms above."""
