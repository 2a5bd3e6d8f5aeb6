"""The kit's version and its data files: beside the package in a checkout, in one folder when installed."""

from pathlib import Path

VERSION = "0.1.0"

_PACKAGE = Path(__file__).resolve().parents[1]
_DATA_PARENTS = (_PACKAGE.parent, _PACKAGE.parent / "cyberun_contract_kit_data")


def data_file(name: str) -> Path:
    """Return the path of a data file such as ``spec/rules.yaml``; raise FileNotFoundError if it is missing."""
    for folder in _DATA_PARENTS:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{name} is neither beside contract_tests nor in cyberun_contract_kit_data")
