"""The server process: asynchronous front, workers, reload, logging. May import app and the rooms above."""
