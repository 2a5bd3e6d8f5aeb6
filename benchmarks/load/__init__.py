"""Workloads, the load generator and the figures that come from it. May import processes."""
