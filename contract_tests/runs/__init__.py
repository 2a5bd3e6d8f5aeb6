"""A whole run: layers, checkpoint, partition, example database. May import execution and the rooms above."""
