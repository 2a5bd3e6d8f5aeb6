"""Judge, observations, findings, verdicts, waivers: the meaning of responses. May import generation and below."""
