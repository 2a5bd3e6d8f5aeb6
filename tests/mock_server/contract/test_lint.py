"""A contract whose rules and keywords do not match is refused with one line that says how to correct it."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mock_server import create_app
from mock_server.contract.lint import check_document
from mock_server.contract.resources import UnusableFileError
from tests.support.fixture_player import load

DOCUMENT = load("spec/openapi.yaml")
RULES = load("spec/rules.yaml")

Change = Callable[[dict[str, Any], list[dict[str, Any]]], object]


def refer_to(number: int) -> dict[str, str]:
    """Return a reference to a numbered schema."""
    return {"$ref": f"#/components/schemas/X{number}"}


MISTAKES: dict[str, tuple[Change, str]] = {
    "unknown-rule": (
        lambda schemas, _: schemas["HealthPath"]["x-rules"].update(type="health-path-typo"),
        "names health-path-typo, which is not in rules.yaml",
    ),
    "keyword-without-rule": (
        lambda schemas, _: schemas["HealthPath"].update(pattern="^/"),
        "createContainer/body/properties/health_path: pattern names no rule",
    ),
    "required-name-without-rule": (
        lambda schemas, _: schemas["ServiceCreate"]["required"].append("health_path"),
        "createContainer/body: required names no rule",
    ),
    "rule-without-keyword": (
        lambda schemas, _: schemas["ExposedPort"].pop("maximum"),
        "x-rules names a rule for maximum, which is not there",
    ),
    "rule-enforced-nowhere": (
        lambda _, rules: rules.append({**rules[-1], "id": "health-path-pattern"}),
        "health-path-pattern is not enforced",
    ),
    "rule-of-the-mock-removed": (
        lambda _, rules: rules.remove(next(r for r in rules if r["id"] == "slug-unique")),
        "the mock enforces slug-unique, which is not there",
    ),
    "rule-enforced-twice": (
        lambda schemas, _: schemas["HealthPath"].update(
            maxLength=9, **{"x-rules": {"type": "health-path-type", "maxLength": "slug-unique"}}
        ),
        "slug-unique is enforced twice",
    ),
    "rule-written-twice": (lambda _, rules: rules.append(rules[0]), "auth-required is there twice"),
    "entry-that-is-no-rule": (
        lambda _, rules: rules.append({"name": "x"}),
        f"entry {len(RULES['rules']) + 1} is not a rule",
    ),
    "keyword-beside-a-reference": (
        lambda schemas, _: schemas["ServiceCreate"]["properties"]["health_path"].update(minLength=1),
        "health_path: minLength beside $ref",
    ),
    "reference-to-nothing": (
        lambda schemas, _: schemas["ServiceCreate"]["properties"].update(
            x={"$ref": "#/components/schemas/X"}
        ),
        "#/components/schemas/X: points to nothing",
    ),
    "reference-to-itself": (
        lambda schemas, _: schemas.update(HealthPath={"items": {"$ref": "#/components/schemas/HealthPath"}}),
        "refers to itself",
    ),
    "reference-to-a-host": (
        lambda schemas, _: schemas.update(X={"$ref": "http://127.0.0.1:9/x.yaml"}),
        "http://127.0.0.1:9/x.yaml: not a reference within the document",
    ),
    "dynamic-reference-to-a-file": (
        lambda schemas, _: schemas.update(X={"$dynamicRef": "file:///etc/hostname"}),
        "file:///etc/hostname: not a reference within the document",
    ),
    "references-that-double": (
        lambda schemas, _: schemas.update(
            X40={}, **{f"X{n}": {"properties": dict.fromkeys("ab", refer_to(n + 1))} for n in range(40)}
        ),
        "too large once its references are replaced",
    ),
    "rules-of-another-form": (
        lambda schemas, _: schemas["HealthPath"].update({"x-rules": -1}),
        "a part of it has another form than expected",
    ),
    "rules-in-a-list": (
        lambda schemas, _: schemas["HealthPath"].update({"x-rules": [[]]}),
        "a part of it has another form than expected",
    ),
    "no-json-schema": (
        lambda schemas, _: schemas["ServiceSlug"].update(pattern="("),
        "not a JSON Schema",
    ),
}


@pytest.mark.parametrize(("change", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_document_with_a_mistake_is_refused(tmp_path: Path, change: Change, message: str) -> None:
    """The error is one line, names the file or the place, and gives the mistake."""
    document, rules = copy.deepcopy(DOCUMENT), copy.deepcopy(RULES)
    change(document["components"]["schemas"], rules["rules"])
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    with pytest.raises(UnusableFileError) as caught:
        create_app(spec=tmp_path / "openapi.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "start", [{}, {"openapi": "3.1.0"}, {"openapi": "3.0.3"}], ids=["none", "3.1", "3.0"]
)
def test_a_file_that_is_no_document_is_not_quoted(start: dict[str, Any], tmp_path: Path) -> None:
    """A callers file in place of a document shows no token."""
    spec = tmp_path / "callers.yaml"
    spec.write_text(yaml.safe_dump({**start, "callers": [{"token": "sk-secret"}]}), "utf-8")
    with pytest.raises(UnusableFileError) as caught:
        check_document(spec)
    assert "is a required property" in str(caught.value)
    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["reference-to-a-host", "dynamic-reference-to-a-file"])
def test_a_validator_follows_no_reference_out_of_the_document(tmp_path: Path, name: str) -> None:
    """The check of a document refuses the reference before a validator can read the file or ask the host."""
    change, message = MISTAKES[name]
    document = copy.deepcopy(DOCUMENT)
    change(document["components"]["schemas"], [])
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(UnusableFileError, match=re.escape(message)):
        check_document(tmp_path / "openapi.yaml")


NEW: dict[str, tuple[str, dict[str, Any], object, object]] = {
    "pattern": ("HealthPath", {"pattern": "^/"}, "health", "/health"),
    "uniqueItems": ("RequiredLabels", {"uniqueItems": True}, ["a", "a"], ["a", "b"]),
    "maxItems": ("EnvConfig", {"maxItems": 0}, [{"env_name": "A", "env_value": "b"}], []),
    "multipleOf": ("GpuCount", {"multipleOf": 2}, 3, 4),
    "not": ("DockerImage", {"not": {"const": "evil"}}, "evil", "nginx"),
}
PROPERTIES = {
    "HealthPath": "health_path",
    "RequiredLabels": "required_labels",
    "EnvConfig": "env_config",
    "GpuCount": "gpu_count",
    "DockerImage": "docker_image",
}


@pytest.mark.parametrize(("schema", "keywords", "bad", "good"), NEW.values(), ids=NEW)
def test_a_new_keyword_is_enforced_without_touching_python(
    tmp_path: Path, schema: str, keywords: dict[str, Any], bad: object, good: object
) -> None:
    """A keyword with its rule in spec/ alone refuses by that rule, and accepts a near miss."""
    document, rules = copy.deepcopy(DOCUMENT), copy.deepcopy(RULES)
    node = document["components"]["schemas"][schema]
    node.update(keywords)
    node["x-rules"].update(dict.fromkeys(keywords, "brand-new"))
    rules["rules"].append({**rules["rules"][-5], "id": "brand-new", "stage": "shape", "status": [422]})
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    client = create_app(spec=tmp_path / "openapi.yaml").test_client()
    headers = {"Authorization": "Bearer sk-red-5f0c7c1e9a"}
    body = {"service_slug": "abc", "display_name": "d", "docker_image": "nginx"}
    name = PROPERTIES[schema]
    refused = client.post("/api/v1/containers", json={**body, name: bad}, headers=headers)
    accepted = client.post("/api/v1/containers", json={**body, name: good}, headers=headers)
    assert (refused.status_code, refused.json["violations"][0]["rule"]) == (422, "brand-new")
    assert accepted.status_code == 201


def test_a_mutated_document_is_served() -> None:
    """A loaded document without a keyword is served without it."""
    document = copy.deepcopy(DOCUMENT)
    del document["components"]["schemas"]["ExposedPort"]["maximum"]
    client = create_app(spec=document).test_client()
    body = {"service_slug": "abc", "display_name": "d", "docker_image": "n", "exposed_port": 70000}
    response = client.post(
        "/api/v1/containers", json=body, headers={"Authorization": "Bearer sk-red-5f0c7c1e9a"}
    )
    assert response.status_code == 201
