"""The contract as frozen values: document, rules, lint and export. Imports no other room."""
