"""Learning the states of a deployment, for `learn`. May import runs and all that it may; the only room with AALpy."""
