"""Where the data folders are: beside the package in a checkout, under one folder of our own once installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_NEIGHBOURS = (_PACKAGE.parent, _PACKAGE.parent / "cyberun_contract_kit_data")


def data_file(name: str) -> Path:
    """Return the path of a data file such as ``spec/rules.yaml``; FileNotFoundError where there is none."""
    for folder in _NEIGHBOURS:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{name} is neither beside contract_tests nor in cyberun_contract_kit_data")
