"""``python -m contract_tests`` is the ``contract-tests`` command."""

from contract_tests.cli.main import main

main()
