"""A whole run: layers, checkpoint, partition, example database. May import diagnosis and the rooms above."""
