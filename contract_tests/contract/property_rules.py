"""The rule that speaks of one property's value, or of leaving the property out, where a target refuses it wrongly."""

from typing import Any

_TYPE_RULES = {
    name: name.replace("_", "-") + "-type"
    for name in (
        "service_slug", "display_name", "service_desc", "docker_image", "external_url", "exposed_port",
        "health_path", "env_config", "volume_config", "required_labels", "gpu_count", "replica_count",
        "usage_prompt", "openapi_url",
    )
} | {"external_auth_credential_id": "external-credential-format", "service_type": "service-type-enum"}  # fmt: skip
_RANGE_RULES = {"exposed_port": "exposed-port-range", "replica_count": "replica-count-range"}
#: Properties with a written length: the rule, and the length from which on a value is about it.
_LENGTH_RULES = {
    "display_name": ("display-name-length", 200),
    "external_url": ("external-url-length", 1000),
    "openapi_url": ("openapi-url-length", 400),
}
#: The rule of the default of each property that has one.
DEFAULT_RULES = {
    "service_type": "service-type-default",
    "exposed_port": "exposed-port-default",
    "health_path": "health-path-default",
    "gpu_count": "gpu-count-default",
    "replica_count": "replica-count-default",
}
_LONG_TEXT = 256
#: The array whose items a rule is about, by the start of the rule's id.
_ITEM_PROPERTIES = {
    "env-name": "env_config",
    "env-value": "env_config",
    "host-path": "volume_config",
    "container-path": "volume_config",
}
#: The place of each property in the usual order, which is that of the reference pages.
PROPERTY_ORDER = {
    name: place
    for place, name in enumerate((
        "service_slug", "display_name", "service_desc", "service_type", "docker_image", "external_url",
        "external_auth_credential_id", "exposed_port", "health_path", "env_config", "volume_config",
        "required_labels", "gpu_count", "replica_count", "usage_prompt", "openapi_url",
    ))
}  # fmt: skip


def find_nearest_rule(operation: str, name: str, value: Any) -> str:
    """Return the rule that allows a valid value of a property."""
    if name not in _TYPE_RULES:
        return "unknown-properties-ignored"
    if name == "external_auth_credential_id" and value is None:
        return "external-credential-null-accepted"
    if name == "service_slug":
        return "service-slug-pattern" if operation == "createContainer" else "slug-immutable"
    if name in _LENGTH_RULES and isinstance(value, str):
        rule, length = _LENGTH_RULES[name]
        if len(value) >= length:
            return rule
    elif _has_unbounded_text(value):
        return "texts-unbounded"
    if name == "external_url":
        return "external-url-format"
    return _RANGE_RULES.get(name, _TYPE_RULES[name])


def find_length_rule(name: str, value: Any) -> str:
    """Return the rule about the length of a valid text that is long in bytes, or an empty string."""
    rule, length = _LENGTH_RULES.get(name, ("", 0))
    is_long = isinstance(value, str) and len(value.encode("utf-8", "surrogatepass")) >= length
    return rule if is_long else ""


def find_item_rule(name: str, key: str, value: Any) -> str:
    """Return the rule that allows a text in an item of an array; ``key`` is empty for an item that is a text."""
    if _has_unbounded_text(value):
        return "texts-unbounded"
    return f"{key}-type".replace("_", "-") if key else f"{name}-item-type".replace("_", "-")


def find_omission_rule(operation: str, name: str) -> str:
    """Return the rule that allows an optional property to be left out."""
    if operation == "updateContainer":
        return "update-partial"
    return DEFAULT_RULES.get(name) or _TYPE_RULES.get(name, "unknown-properties-ignored")


def _has_unbounded_text(value: Any) -> bool:
    """Return whether a value is or holds an empty or a long text."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return any(map(_has_unbounded_text, value))
    return isinstance(value, str) and not 1 <= len(value) < _LONG_TEXT


def find_named_property(rule: str) -> str:
    """Return the property that the name of a rule begins with, or an empty string."""
    if rule.startswith("external-credential"):
        return "external_auth_credential_id"
    item = next((name for start, name in _ITEM_PROPERTIES.items() if rule.startswith(start)), "")
    named = [name for name in _TYPE_RULES if rule.startswith(name.replace("_", "-"))]
    return item or max(named, key=len, default="")
