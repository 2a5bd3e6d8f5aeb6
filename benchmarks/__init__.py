"""The mock and the suite measured beside other tools: `python -m benchmarks`. No test runs it."""
