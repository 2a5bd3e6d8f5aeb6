"""`python -m mock_server` is `mock-server`."""

from mock_server.cli.main import main

if __name__ == "__main__":
    main(prog_name="mock-server")
