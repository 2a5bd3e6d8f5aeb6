"""The parts of probes: requests within limits, their judgement, and what they show. May import the rooms above."""
