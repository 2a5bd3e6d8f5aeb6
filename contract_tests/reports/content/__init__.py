"""The words that every report uses: blocks of findings, labels, what to change. Imported by the formats."""
