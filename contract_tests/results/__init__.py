"""What responses prove: judge, observations, findings, verdicts, waivers. May import generation and below."""
