"""Tables, charts and the page, made from results. May import processes, load and servers, but no suite."""
