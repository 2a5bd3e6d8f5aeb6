"""Pure checks of a request, in the order of the stages. May import contract and services."""
