"""Fault injection: scripted, preferred by the caller, random. May import web and the rooms above."""
