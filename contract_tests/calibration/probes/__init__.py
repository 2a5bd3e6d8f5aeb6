"""Probes: one function per choice, which sees how a deployment chose. May import probing."""
