"""Test cases: model, callers, tables, boundary values, scenarios, batching. May import targets and contract."""
