"""Side by side with other tools: `python -m benchmarks`. Nothing imports this, and no test runs it."""
