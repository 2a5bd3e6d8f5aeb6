"""Generated cases: oracle, state model, bodies, mutation of bodies. May import cases and the rooms above."""
