"""What others give, files and JSON texts, read and checked before it is used; files of a report. Imports nothing."""
