"""Wrappers: a target whose behaviour is changed at its WSGI interface. May import cases, contract and targets."""
