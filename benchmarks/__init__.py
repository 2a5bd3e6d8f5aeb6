"""The mock and the suite measured beside other tools: `python -m benchmarks`. Tests run its audit only."""
