"""Hooks of the documentation site: pages generated from the commands and the schemas, and links out of `docs/`."""

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File

from contract_tests.cli.main import build_command
from mock_server.cli.main import main as mock_server

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = (*sorted((ROOT / "spec/schemas").glob("*.json")), ROOT / "docs/report.schema.json")
#: Levels of a schema that have a row; the commands describe the options below them.
DEPTH = 3
_FILES_HEAD = """# The files

The files that people write, and `report.json`, with the keys of each down to the third level. `*` stands for each
item of a list, or for a name of your own. `contract-tests schema` prints all of these schemas but that of the report;
[configuration.md](../configuration.md#completion-and-checks-in-editors) says how editors use them."""
_LINK = re.compile(r"(\]\()([^)\s#:]+)([^)\s]*\))")
_log = get_plugin_logger("docs.hooks")


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the page of the commands, the page of the files, and the schemas that it links."""
    pages = {"commands.md": render_commands(), "files.md": render_files()}
    for name, text in pages.items():
        files.append(File.generated(config, f"reference/{name}", content=text))
    for path in SCHEMAS:
        if not path.is_relative_to(config.docs_dir):
            files.append(File.generated(config, f"reference/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: "Page", config: "MkDocsConfig", **_: Any) -> str:
    """Let each link to a file outside of `docs/` lead to the repository; a page without sections is wider."""
    if "\n## " not in markdown:
        page.meta["hide"] = ["toc"]
    folder = posixpath.dirname(page.file.src_uri)

    def replace(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("docs", folder, match[2]))
        if path.startswith("docs/"):
            return match[0]
        if not (ROOT / path).exists():
            _log.warning("%s links to %s, which does not exist", page.file.src_uri, path)
        return f"{match[1]}{config.extra['repository']}/blob/main/{path}{match[3]}"

    return _LINK.sub(replace, markdown)


def render_commands() -> str:
    """Return the page with the help of each command."""
    lines = ["# The commands", "", "Each command prints this text with `--help`."]
    for name, command in (("mock-server", mock_server), ("contract-tests", build_command())):
        for context in _list_contexts(command, name, None):
            level = "###" if context.parent else "##"
            lines += ["", f"{level} {context.command_path}", "", "```text", _render_help(context), "```"]
    return "\n".join(lines)


def _render_help(context: click.Context) -> str:
    """Return the help of a command, as a terminal of 80 columns shows it."""
    context.terminal_width = 78
    return click.unstyle(context.command.get_help(context))


def _list_contexts(
    command: click.Command, name: str, parent: click.Context | None
) -> Iterator[click.Context]:
    context = click.Context(command, parent, name, **command.context_settings)
    yield context
    if isinstance(command, click.Group):
        for child_name, child in sorted(command.commands.items()):
            if not child.hidden:
                yield from _list_contexts(child, child_name, context)


def render_files() -> str:
    """Return the page with the keys of each file that has a JSON Schema."""
    lines = [_FILES_HEAD]
    for path in SCHEMAS:
        schema = json.loads(path.read_text("utf-8"))
        link = f"../{path.name}" if path.parent.name == "docs" else path.name
        lines += ["", f"## {schema['title']}", ""]
        lines += [schema["description"], ""] if "description" in schema else []
        lines += [f"Schema: [{path.name}]({link})", "", "| key | value | meaning |", "|---|---|---|"]
        lines += dict.fromkeys(_rows(schema, schema, ()))
    return "\n".join(lines)


def _rows(schema: dict[str, Any], node: Any, place: tuple[str, ...]) -> Iterator[str]:
    """Yield a row for each key below a node; a key that several forms of a value share comes several times."""
    node = _resolve(schema, node)
    for name, value in node.get("properties", {}).items():
        value = _resolve(schema, value)
        cells = (f"`{'.'.join((*place, name))}`", _describe(schema, value), value.get("description", ""))
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
        if len(place) + 1 < DEPTH:
            yield from _rows(schema, value, (*place, name))
    for keyword in ("items", "additionalProperties"):
        if isinstance(node.get(keyword), dict) and len(place) + 1 < DEPTH:
            yield from _rows(schema, node[keyword], (*place, "*"))
    for form in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _rows(schema, form, place)


def _describe(schema: dict[str, Any], node: Any) -> str:
    """Return the kind of a value: its type, or the values that it may have."""
    node = _resolve(schema, node)
    if "enum" in node or "const" in node:
        return ", ".join(f"`{json.dumps(value)}`" for value in node.get("enum", [node.get("const")]))
    if kind := node.get("type"):
        return kind if isinstance(kind, str) else " or ".join(kind)
    forms = [_describe(schema, form) for form in (*node.get("anyOf", ()), *node.get("oneOf", ()))]
    return " or ".join(dict.fromkeys(filter(None, forms)))


def _resolve(schema: dict[str, Any], node: Any) -> dict[str, Any]:
    """Return a node with its reference replaced; the keys beside the reference win."""
    if not isinstance(node, dict) or "$ref" not in node:
        return node if isinstance(node, dict) else {}
    found: Any = schema
    for key in node["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return {**_resolve(schema, found), **{key: value for key, value in node.items() if key != "$ref"}}
