"""The contenders, the apps that only benchmarks serve, and their stores. May import processes and load."""
