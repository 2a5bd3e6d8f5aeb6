"""Test cases: model, callers, tables, value templates, batching, repeats. May import targets and contract."""
