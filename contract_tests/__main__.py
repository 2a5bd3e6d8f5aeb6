"""Run the ``contract-tests`` command with ``python -m contract_tests``."""

from contract_tests.cli.main import main

main()
