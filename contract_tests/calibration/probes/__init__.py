"""Probes: one function per choice, which sees how a deployment chose. May import the prober and what compares."""
