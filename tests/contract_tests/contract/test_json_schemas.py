"""The JSON Schemas of spec/schemas: up to date, named by the examples, and true of them."""

import json
import re
import tomllib
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator, FormatChecker

from contract_tests.cli.main import build_command
from contract_tests.contract.json_schemas import SCHEMA_NAMES, build_schema
from contract_tests.contract.resources import data_file
from tests.support.fixture_player import ROOT

MODELINE = re.compile(r"(?:# yaml-language-server: \$schema=|#:schema )(\S+)\n")
#: Files with a first line that names their schema.
EXAMPLES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("spec", "fixtures", "examples")
    for pattern in ("*.yaml", "*.toml")
    for path in (ROOT / folder).rglob(pattern)
    if MODELINE.match(path.read_text("utf-8"))
)
PAGES = {
    "docs/ci.md": {"token_env": "callers", "reason:": "waivers"},
    "docs/calibrate.md": {"not_seen": "profile"},
}


def list_errors(document: Any, schema: Any) -> list[str]:
    """Return what a schema says against a document; dates are texts, as an editor reads them."""
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(json.loads(json.dumps(document, default=str)))]


@pytest.mark.parametrize("name", ["config", *SCHEMA_NAMES])
def test_the_shipped_schema_is_up_to_date(name: str) -> None:
    """The file is what `contract-tests schema` prints; `make docs` writes it anew."""
    done = CliRunner().invoke(build_command(), ["schema", name])
    shipped = data_file(f"spec/schemas/{name}.schema.json").read_text("utf-8")
    assert (done.exit_code, done.stdout) == (0, shipped)
    Draft202012Validator.check_schema(json.loads(shipped))


def test_the_examples_name_their_schema() -> None:
    """The files that people copy are among those that name a schema."""
    files = {
        "spec/rules.yaml",
        "spec/choices.yaml",
        "fixtures/callers.yaml",
        "examples/team/contract-tests.toml",
    }
    assert files <= {*EXAMPLES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_follows_the_schema_that_it_names(name: str) -> None:
    """The first line leads to a file, and its schema accepts the example."""
    file = ROOT / name
    text = file.read_text("utf-8")
    named = MODELINE.match(text)
    assert named is not None
    schema = json.loads((file.parent / named[1]).read_text("utf-8"))
    document = tomllib.loads(text) if file.suffix == ".toml" else yaml.safe_load(text)
    assert list_errors(document, schema) == []


@pytest.mark.parametrize("page", PAGES)
def test_an_example_of_a_page_follows_its_schema(page: str) -> None:
    """Callers, waivers and profile of the documentation are what the schemas describe."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    for word, name in PAGES[page].items():
        block = next(block for block in blocks if word in block)
        assert list_errors(yaml.safe_load(block), build_schema(name)) == []


@pytest.mark.parametrize(
    ("name", "document", "says"),
    [
        ("callers", {"callers": [{"kind": "sk", "token_envv": "A"}]}, "'token_envv' was unexpected"),
        ("callers", {"callers": [{"kind": "key"}]}, "'key' is not one of"),
        ("waivers", [{"rule": "slug-uniq", "reason": "r", "until": "2027-01-31"}], "'slug-uniq' is not valid"),
        ("waivers", [{"rule": "slug-unique", "reason": "r", "until": "soon"}], "'soon' is not a 'date'"),
        ("profile", {"choices": {"check-order": "random"}}, "'random' is not valid"),
        ("profile", {"choices": {"chek-order": "shape-first"}}, "'chek-order' was unexpected"),
        ("rules", {"rules": [{"id": "A"}]}, "'kind' is a required property"),
        ("choices", {"choices": [{"id": "a"}]}, "'question' is a required property"),
    ],
)  # fmt: skip
def test_a_mistake_is_marked(name: str, document: Any, says: str) -> None:
    """An unknown key, rule, choice or option, and a wrong date do not follow the schema."""
    assert says in " ".join(list_errors(document, build_schema(name)))


def test_every_choice_has_its_usual_option() -> None:
    """A profile with the usual option of every choice follows the schema."""
    choices = yaml.safe_load(data_file("spec/choices.yaml").read_text("utf-8"))["choices"]
    profile = {"choices": {choice["id"]: choice["usual"] for choice in choices}}
    assert list_errors(profile, build_schema("profile")) == []
