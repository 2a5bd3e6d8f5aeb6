"""Stored services: `model` has the value and the store protocol, `addresses` opens a store. May import contract."""
