"""Responses judged: observations, findings, verdicts, waivers. May import generation and the rooms above."""
