"""Child processes: start, measure and stop them. Imports no other room of benchmarks."""
