"""The contract as the suite reads it: rules, operations, data files. Imports no other room."""
