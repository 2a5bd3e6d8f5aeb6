"""Stored services: the value, the store protocol, its stores, and the lifecycle. May import contract."""
