"""One module per benchmark, their rounds and their scale. May import processes, load and servers."""
