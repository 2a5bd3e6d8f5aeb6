"""Reads a configuration file: ``contract-tests.toml``, or ``[tool.contract-tests]`` of a pyproject.toml."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from contract_tests.cli.configuration.checks import Commands, ConfigurationError, check_document, check_known
from contract_tests.cli.configuration.options import list_options, names_deployment, resolve_value
from contract_tests.contract.files.json_text import parse_json
from contract_tests.contract.files.yaml_file import TooLargeError, read_text

FILE_NAME = "contract-tests.toml"
_PYPROJECT = "pyproject.toml"
_MAX_BYTES = 64 * 2**10  # a long dotted key takes a time that grows with the square of its length


@dataclass(frozen=True, slots=True)
class Configuration:
    """The content of a configuration file that has been checked; empty if there is no file."""

    source: str = FILE_NAME
    folder: Path = Path()
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def targets(self) -> Mapping[str, Mapping[str, Any]]:
        """The tables of the targets by name."""
        targets: Mapping[str, Mapping[str, Any]] = self.document.get("targets", {})
        return targets

    def list_defaults(
        self, command: click.Command, given: Mapping[str, Any], environ: Mapping[str, str] = os.environ
    ) -> dict[str, Any]:
        """Return the options of a command by parameter name; ``given`` are those of the command line."""
        name = str(command.name)
        tables = {name: self.document.get(name, {})}
        target = self._choose_target(given) if names_deployment(command) else None
        if target is not None:
            tables[f"targets.{target}"] = self.targets[target]
        options = {key: one for key, one in list_options(command).items() if one.name not in given}
        defaults = {}
        for table, values in tables.items():
            for key in [key for key in values if key in options]:
                try:
                    value = resolve_value(options[key], values[key], self.folder, environ)
                except ValueError as error:
                    raise ConfigurationError(f"{self.source}: {table}.{key}: {error}") from None
                defaults[str(options[key].name)] = value
        if "target" in given and target is None and "folder" in defaults and "resume" not in given:
            self._keep_report(name, Path(defaults["folder"]), str(given["target"]))
        return defaults

    def _keep_report(self, command: str, folder: Path, target: str) -> None:
        """Raise ConfigurationError if the folder of the file has the report of another target, as of a pipeline."""
        for name in ("report.json", "parity.json"):
            file = folder / name
            try:
                found = parse_json(file.read_text("utf-8"))["target"] if file.is_file() else target
            except (OSError, ValueError, LookupError, TypeError):
                continue
            if str(found).rstrip("/") != target.rstrip("/"):
                raise ConfigurationError(
                    f"{self.source}: {command}.report: {folder} has the report of {found}; name another folder for "
                    "this target with --report"
                )

    def _choose_target(self, given: Mapping[str, Any]) -> str | None:
        """Return the name of the target whose table applies, None for none.

        A target of the command line has no table unless ``--environment`` names one: the callers are another's.
        """
        chosen = given.get("environment")
        if chosen is None and "target" in given:
            return None
        if chosen is None:
            chosen = self.document.get("environment")
        if chosen is None and len(self.targets) > 1:
            names = ", ".join(self.targets)
            raise ConfigurationError(f"{self.source}: choose a target with --environment: {names}")
        if chosen is None:
            return next(iter(self.targets), None)
        check_known(chosen, self.targets, f"--environment: {self.source}: targets.", "no such table")
        return str(chosen)


def read_configuration(path: Path | None, commands: Commands) -> Configuration:
    """Return the configuration of a file, or of the working folder; raise ConfigurationError if it is unusable."""
    for file in (path,) if path else (Path(FILE_NAME), Path(_PYPROJECT)):
        if path is None and not file.is_file():
            continue
        document, source = _load_toml(file), str(file)
        if file.name == _PYPROJECT:
            document, source = _find_tool_table(document), f"{file}: tool.contract-tests"
        if document is None and path is None:
            continue
        if not isinstance(document, dict):
            raise ConfigurationError(
                f"{file} has no table [tool.contract-tests]; add it, or name another file"
            )
        try:
            check_document(document, commands)
        except ConfigurationError as error:
            raise ConfigurationError(f"{source}: {error}") from None
        return Configuration(source, file.parent, document)
    return Configuration()


def _find_tool_table(document: Mapping[str, Any]) -> Any:
    tool = document.get("tool")
    return tool.get("contract-tests") if isinstance(tool, dict) else None


def _load_toml(file: Path) -> Any:
    try:
        return tomllib.loads(read_text(file, "utf-8-sig", _MAX_BYTES))
    except OSError as error:
        raise ConfigurationError(
            f"--config {file}: {error.strerror}; `contract-tests init` writes one"
        ) from None
    except TooLargeError as error:
        raise ConfigurationError(f"{error}; name a smaller file with --config") from None
    except ValueError as error:  # also an integer with too many digits
        raise ConfigurationError(f"{file} is not TOML: {error}") from None
    except RecursionError:
        raise ConfigurationError(f"{file} is nested too deeply") from None
