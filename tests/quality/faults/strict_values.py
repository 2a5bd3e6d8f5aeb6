"""Faults of servers that are too strict: they refuse values that the pages allow."""

import re
from collections.abc import Mapping
from typing import Any

from tests.quality.faults.values import is_, text
from tests.support.gate.planting import (
    Fault,
    Test,
    fault,
    refuses,
)

_NOT_STORED = {
    "created-stored": "the create that sends the value is refused, and so not stored",
    "updated-stored": "the update that sends the value is refused, and so not stored",
}
_LONG = {**_NOT_STORED, "texts-unbounded": "the text has no written length, and may hold any characters"}


def has(pattern: str) -> Test:
    """Passes text in which a pattern is found."""
    return text(lambda value: bool(re.search(pattern, value)))


def lacks(pattern: str) -> Test:
    """Passes text in which a pattern is not found."""
    return text(lambda value: not re.search(pattern, value))


def over(most: int) -> Test:
    """Passes text and arrays of more than so many characters or items."""
    return lambda value: isinstance(value, str | list) and len(value) > most


def above(most: int) -> Test:
    """Passes greater integers."""
    return lambda value: type(value) is int and value > most


def below(least: int) -> Test:
    """Passes integers between 1 and another."""
    return lambda value: type(value) is int and 0 < value < least


def some(test: Test, key: str = "") -> Test:
    """Passes arrays with an item that passes a test, or whose value of a key does."""

    def passes(item: Any) -> bool:
        return test(item.get(key) if isinstance(item, dict) else None) if key else test(item)

    return lambda value: isinstance(value, list) and any(map(passes, value))


def refused(
    name: str, breaks: str, operation: str, prop: str, test: Test, also: Mapping[str, str] | None = None
) -> Fault:
    """A value that is refused although the pages allow it; what is refused is not stored either."""
    return fault(name, breaks, refuses(operation, prop, test), also=also or _NOT_STORED)


def too_long(name: str, operation: str, prop: str, test: Test, rule: str, status: int = 400) -> Fault:
    """A long or empty text that is refused although no length is written; ``rule`` is that of its type."""
    return fault(name, "texts-unbounded", refuses(operation, prop, test, status), also={
        **_NOT_STORED, rule: "a text of the right type is refused"})  # fmt: skip


_ASTRAL, _RIGHT_TO_LEFT, _COMBINING, _CJK = (
    "[\U00010000-\U0010ffff]",
    "[\u0590-\u08ff]",
    "[\u0300-\u036f]",
    "[\u3040-\u9fff]",
)

SLUGS: tuple[Fault, ...] = (
    refused("slug-of-digits-only-refused", "service-slug-pattern", "create", "service_slug", has(r"\A\d+\Z")),
    refused("slug-digit-first-refused", "service-slug-pattern", "create", "service_slug", has(r"\A\d")),
    refused("slug-two-hyphens-in-a-row-refused", "service-slug-pattern", "create", "service_slug", has("--")),
    refused("slug-over-63-refused", "service-slug-pattern", "create", "service_slug", over(63)),
    refused("slug-without-a-hyphen-refused", "service-slug-pattern", "create", "service_slug", lacks("-")),
)  # fmt: skip

NAMES: tuple[Fault, ...] = (
    refused("name-with-an-emoji-refused", "display-name-type", "create", "display_name", has(_ASTRAL)),
    refused("name-not-ascii-refused-on-update", "display-name-type", "update", "display_name", has(r"[^\x00-\x7f]")),
    refused("name-right-to-left-refused", "display-name-type", "create", "display_name", has(_RIGHT_TO_LEFT)),
    refused("name-combining-characters-refused", "display-name-type", "update", "display_name", has(_COMBINING)),
    refused("name-over-100-refused-on-create", "display-name-length", "create", "display_name", over(100)),
    refused("name-over-64-refused-on-update", "display-name-length", "update", "display_name", over(64)),
    refused("name-with-markup-refused", "display-name-type", "create", "display_name", has("[<>&]")),
    refused("name-with-an-apostrophe-refused", "display-name-type", "update", "display_name", has("'")),
    refused("name-of-one-character-refused", "display-name-type", "create", "display_name", text(
        lambda v: len(v) == 1)),
)  # fmt: skip

TEXTS: tuple[Fault, ...] = (
    refused("desc-newline-refused-on-create", "service-desc-type", "create", "service_desc", has("\n"), _LONG),
    refused("desc-tab-refused-on-update", "service-desc-type", "update", "service_desc", has("\t"), _LONG),
    refused("desc-cjk-refused-on-create", "service-desc-type", "create", "service_desc", has(_CJK), _LONG),
    too_long("desc-over-1000-refused-on-create", "create", "service_desc", over(1000), "service-desc-type"),
    too_long("desc-over-255-refused-on-update", "update", "service_desc", over(255), "service-desc-type"),
    too_long("desc-empty-refused-on-create", "create", "service_desc", is_(""), "service-desc-type"),
    fault("desc-emoji-crashes-on-update", "service-desc-type", refuses("update", "service_desc", has(_ASTRAL), 500),
          also=_LONG),
    too_long("prompt-over-4096-refused", "", "usage_prompt", over(4096), "usage-prompt-type"),
    too_long("prompt-over-5000-crashes-on-create", "create", "usage_prompt", over(5000), "usage-prompt-type", 500),
    too_long("prompt-empty-refused-on-update", "update", "usage_prompt", is_(""), "usage-prompt-type"),
    refused("prompt-newline-refused-on-update", "usage-prompt-type", "update", "usage_prompt", has("\n"), _LONG),
    refused("prompt-emoji-refused-on-create", "usage-prompt-type", "create", "usage_prompt", has(_ASTRAL), _LONG),
    refused("prompt-with-markup-refused-on-create", "usage-prompt-type", "create", "usage_prompt", has("<"), _LONG),
    refused("image-with-a-digest-refused", "docker-image-type", "create", "docker_image", has("@sha256:")),
    refused("image-of-a-registry-with-a-port-refused", "docker-image-type", "create", "docker_image",
            has(r"\A[^/]+:\d+/")),
    refused("image-without-a-tag-refused-on-update", "docker-image-type", "update", "docker_image", lacks(":")),
    too_long("image-over-255-refused-on-create", "create", "docker_image", over(255), "docker-image-type"),
    refused("health-path-without-a-slash-refused", "health-path-type", "create", "health_path", lacks(r"\A/|\A\Z")),
    refused("health-path-with-a-query-refused", "health-path-type", "update", "health_path", has(r"\?")),
    too_long("health-path-empty-refused-on-update", "update", "health_path", is_(""), "health-path-type"),
    too_long("health-path-over-255-refused-on-create", "create", "health_path", over(255), "health-path-type"),
)  # fmt: skip

NUMBERS: tuple[Fault, ...] = (
    refused("port-below-1024-refused-on-create", "exposed-port-range", "create", "exposed_port", below(1024)),
    refused("port-above-32767-refused-on-update", "exposed-port-range", "update", "exposed_port", above(32767)),
    refused("port-above-49151-refused-on-create", "exposed-port-range", "create", "exposed_port", above(49151)),
    refused("gpus-above-4-refused-on-create", "gpu-count-type", "create", "gpu_count", above(4)),
    refused("gpus-minus-1-refused-on-update", "gpu-count-type", "update", "gpu_count", is_(-1)),
    refused("gpus-0-refused-on-update", "gpu-count-type", "update", "gpu_count", is_(0)),
    refused("replicas-above-5-refused-on-create", "replica-count-range", "create", "replica_count", above(5)),
    refused("replicas-only-odd-on-update", "replica-count-range", "update", "replica_count",
            lambda v: type(v) is int and 0 < v <= 10 and v % 2 == 0),
)  # fmt: skip

ITEMS: tuple[Fault, ...] = (
    refused("env-empty-array-refused-on-create", "env-config-type", "create", "env_config", is_([])),
    refused("env-over-20-items-refused", "env-config-type", "", "env_config", over(20)),
    refused("env-name-lower-case-refused-on-create", "env-name-type", "create", "env_config",
            some(has("[a-z]"), "env_name")),
    refused("env-name-with-a-dot-refused-on-update", "env-name-type", "update", "env_config",
            some(has(r"\."), "env_name")),
    too_long("env-value-empty-refused-on-create", "create", "env_config", some(is_(""), "env_value"),
             "env-value-type"),
    refused("env-value-newline-refused-on-update", "env-value-type", "update", "env_config",
            some(has("\n"), "env_value"), _LONG),
    too_long("env-value-over-1024-refused", "", "env_config", some(over(1024), "env_value"), "env-value-type"),
    refused("env-value-not-ascii-refused-on-create", "env-value-type", "create", "env_config",
            some(has(r"[^\x00-\x7f]"), "env_value"), _LONG),
    refused("volume-empty-array-refused-on-update", "volume-config-type", "update", "volume_config", is_([])),
    refused("volume-over-10-items-refused-on-create", "volume-config-type", "create", "volume_config", over(10)),
    refused("host-path-relative-refused-on-create", "host-path-type", "create", "volume_config",
            some(lacks(r"\A/|\A\Z"), "host_path")),
    refused("host-path-with-a-blank-refused-on-update", "host-path-type", "update", "volume_config",
            some(has(" "), "host_path")),
    too_long("container-path-empty-refused-on-create", "create", "volume_config",
             some(is_(""), "container_path"), "container-path-type"),
    too_long("container-path-over-255-refused-on-update", "update", "volume_config",
             some(over(255), "container_path"), "container-path-type"),
    refused("labels-empty-array-refused-on-create", "required-labels-type", "create", "required_labels", is_([])),
    refused("labels-over-10-refused-on-update", "required-labels-type", "update", "required_labels", over(10)),
    too_long("label-empty-refused-on-create", "create", "required_labels", some(is_("")),
             "required-labels-item-type"),
    too_long("label-over-63-refused-on-update", "update", "required_labels", some(over(63)),
             "required-labels-item-type"),
    refused("label-not-ascii-refused-on-create", "required-labels-item-type", "create", "required_labels",
            some(has(r"[^\x00-\x7f]"))),
)  # fmt: skip

URLS: tuple[Fault, ...] = (
    refused("url-with-a-port-refused-on-create", "external-url-format", "create", "external_url",
            has(r"\Ahttps://[^/?#]*:\d"), {**_NOT_STORED, "external-url-pattern": "the URL begins with https://"}),
    refused("url-with-a-query-refused-on-update", "external-url-format", "update", "external_url", has(r"\?")),
    refused("url-with-a-fragment-refused-on-create", "external-url-format", "create", "external_url", has("#")),
    refused("url-with-an-escape-refused-on-update", "external-url-format", "update", "external_url",
            has("%[0-9A-Fa-f]{2}")),
    refused("url-host-in-capitals-refused", "external-url-format", "create", "external_url",
            has(r"\Ahttps://[^/?#]*[A-Z]")),
    refused("url-host-in-punycode-refused", "external-url-format", "update", "external_url",
            has(r"\Ahttps://(?:[^/?#]*\.)?xn--")),
    refused("url-over-255-refused-on-create", "external-url-length", "create", "external_url", over(255)),
    refused("url-over-1024-refused-on-update", "external-url-length", "update", "external_url", over(1024)),
    refused("url-without-a-path-refused-on-create", "external-url-format", "create", "external_url",
            has(r"\Ahttps://[^/?#]+\Z")),
    refused("url-with-a-slash-at-the-end-refused-on-update", "external-url-format", "update", "external_url",
            has(r"/\Z")),
    refused("openapi-relative-refused-on-create", "openapi-url-type", "create", "openapi_url", has(r"\A/")),
    refused("openapi-of-another-scheme-refused-on-update", "openapi-url-type", "update", "openapi_url",
            has(r"\A(?!https:)\w+:")),
    refused("openapi-over-255-refused-on-update", "openapi-url-length", "update", "openapi_url", over(255)),
    refused("openapi-empty-refused-on-create", "openapi-url-type", "create", "openapi_url", is_(""), {
        **_NOT_STORED,
        "openapi-url-length": "a text of 0 characters is within the length",
        "texts-unbounded": "an empty text is a text"}),
)  # fmt: skip

STRICT_VALUES = (*SLUGS, *NAMES, *TEXTS, *NUMBERS, *ITEMS, *URLS)
