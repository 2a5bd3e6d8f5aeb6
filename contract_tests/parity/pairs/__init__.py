"""One request and two responses: sent, read, compared, blamed, scored. May import the rooms above parity."""
