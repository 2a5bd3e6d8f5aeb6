"""Two contracts compared by playing both: what breaks for clients. May import mutation and the rooms above."""
