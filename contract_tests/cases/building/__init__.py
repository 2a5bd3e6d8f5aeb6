"""Cases built from schemas, telling values and covering arrays. May import targets and contract."""
