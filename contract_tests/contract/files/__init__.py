"""Files that users give, read and checked before they are used, and files of a report. Imports nothing."""
