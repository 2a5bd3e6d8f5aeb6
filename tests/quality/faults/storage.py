"""Faults in how a value is stored: cut, dropped, trimmed, escaped, reordered, taken for another, or for none."""

import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from tests.quality.faults.values import is_
from tests.support.gate.planting import (
    Fault,
    Write,
    ignores,
    remembering,
    rewrites,
    stores,
    type_of,
)

_CREDENTIAL = "external_auth_credential_id"
Change = Callable[[Any], Any]


def replacing(pattern: str, by: str) -> Change:
    """Puts another text for each match."""
    return lambda value: re.sub(pattern, by, value)


def cut(most: int) -> Change:
    """Cuts texts, and arrays."""
    return lambda value: value[:most]


def form(name: Any) -> Change:
    """Puts text into a form of Unicode."""
    return lambda value: unicodedata.normalize(name, value)


def cut_to_bytes(most: int) -> Change:
    """Cuts text to so many bytes, and drops half a character."""
    return lambda value: value.encode()[:most].decode("utf-8", "ignore")


def in_charset(charset: str) -> Change:
    """Stores what a charset has, and a question mark for the rest."""
    return lambda value: value.encode(charset, "replace").decode(charset)


def each(change: Change, key: str = "") -> Change:
    """Changes each item of an array, or its value of a key."""

    def changed(item: Any) -> Any:
        if not key:
            return change(item)
        return {**item, key: change(item[key])} if isinstance(item, dict) and key in item else item

    return lambda items: [changed(item) for item in items]


def without(pattern: str, key: str = "") -> Change:
    """Drops the items whose text, or value of a key, matches a pattern."""
    return lambda items: [
        item for item in items if not re.fullmatch(pattern, item.get(key, "-") if key else item)
    ]


def created(name: str, prop: str, change: Change) -> Fault:
    """What a create sends is stored otherwise."""
    return remembering(name, "created-stored", stores("create", prop, change))


def updated(name: str, prop: str, change: Change) -> Fault:
    """What an update sends is stored otherwise."""
    return remembering(name, "updated-stored", stores("update", prop, change))


def both(name: str, prop: str, change: Change) -> Fault:
    """What either operation sends is stored otherwise."""
    later = {"updated-stored": "an update stores the same; it is judged once creates store rightly"}
    return remembering(name, "created-stored", stores("", prop, change), also=later)


TEXTS: tuple[Fault, ...] = (
    created("desc-trimmed", "service_desc", str.strip),
    updated("prompt-trimmed-at-the-end", "usage_prompt", str.rstrip),
    updated("name-blanks-made-one", "display_name", replacing(" +", " ")),
    created("name-trimmed-on-create", "display_name", str.strip),
    created("image-lower-cased", "docker_image", str.lower),
    created("image-without-its-tag", "docker_image", replacing(r":[\w.-]+\Z", "")),
    updated("image-with-the-tag-latest", "docker_image", lambda v: v if ":" in v or not v else v + ":latest"),
    created("name-composed", "display_name", form("NFC")),
    updated("desc-compatible-forms", "service_desc", form("NFKC")),
    created("prompt-escaped", "usage_prompt", html.escape),
    updated("desc-markup-stripped", "service_desc", replacing("<[^>]*>", "")),
    updated("name-escaped-on-update", "display_name", html.escape),
    created("desc-without-emoji", "service_desc", replacing("[\U00010000-\U0010ffff]", "")),
    updated("name-emoji-as-question-marks", "display_name", replacing("[\U00010000-\U0010ffff]", "?")),
    created("prompt-in-latin-1", "usage_prompt", in_charset("latin-1")),
    updated("desc-in-ascii", "service_desc", in_charset("ascii")),
    both("prompt-newlines-as-blanks", "usage_prompt", replacing(r"\n", " ")),
    created("desc-tabs-as-blanks", "service_desc", replacing(r"\t", "    ")),
    updated("desc-carriage-returns-dropped", "service_desc", replacing(r"\r", "")),
    created("desc-cut-at-the-first-line", "service_desc", lambda v: v.split("\n")[0]),
    created("prompt-backslashes-dropped", "usage_prompt", replacing(r"\\", "")),
    updated("prompt-quotes-doubled", "usage_prompt", replacing("'", "''")),
    created("name-without-joiners-and-marks", "display_name", replacing("[\u200b-\u200f\u202a-\u202e]", "")),
    created("desc-cut-to-255", "service_desc", cut(255)),
    updated("desc-cut-to-1000", "service_desc", cut(1000)),
    updated("prompt-cut-to-4096", "usage_prompt", cut(4096)),
    created("prompt-cut-to-5000-bytes", "usage_prompt", cut_to_bytes(5000)),
    created("name-cut-to-255-bytes", "display_name", cut_to_bytes(255)),
    updated("name-cut-to-64", "display_name", cut(64)),
    created("health-path-cut-to-128", "health_path", cut(128)),
    updated("health-path-with-a-slash-before", "health_path", lambda v: v if v.startswith("/") else "/" + v),
    created("openapi-cut-to-255", "openapi_url", cut(255)),
    updated("url-cut-to-255", "external_url", cut(255)),
    created("url-with-a-slash-at-the-end", "external_url", lambda v: v if v.endswith("/") else v + "/"),
    updated("url-without-the-slash-at-the-end", "external_url", lambda v: v.rstrip("/")),
    updated("url-without-its-query", "external_url", lambda v: v.partition("?")[0]),
    created("url-without-its-fragment", "external_url", lambda v: v.partition("#")[0]),
    created("url-without-its-port", "external_url", replacing(r"\A(https://[^/?#:]*):\d+", r"\1")),
    updated("url-escapes-read", "external_url", replacing("(?i)%2[0f]", "/")),
)  # fmt: skip

ITEMS: tuple[Fault, ...] = (
    both("labels-sorted", "required_labels", sorted),
    created("labels-lower-cased", "required_labels", each(str.lower)),
    updated("labels-trimmed", "required_labels", each(str.strip)),
    updated("labels-cut-to-63", "required_labels", each(cut(63))),
    created("labels-empty-ones-dropped", "required_labels", without("")),
    updated("labels-over-ten-dropped", "required_labels", cut(10)),
    created("labels-split-at-commas", "required_labels", lambda v: [part for x in v for part in x.split(",")]),
    created("env-sorted-by-name", "env_config", lambda v: sorted(v, key=lambda i: str(i.get("env_name")))),
    updated("env-in-reverse", "env_config", lambda v: v[::-1]),
    created("env-names-in-capitals", "env_config", each(str.upper, "env_name")),
    created("env-empty-values-dropped", "env_config", without("", "env_value")),
    updated("env-values-trimmed", "env_config", each(str.strip, "env_value")),
    created("env-values-cut-to-255", "env_config", each(cut(255), "env_value")),
    updated("env-values-cut-at-the-second-equals-sign", "env_config",
            each(lambda v: "=".join(v.split("=")[:2]), "env_value")),
    created("env-values-of-digits-as-numbers", "env_config",
            each(lambda v: int(v) if re.fullmatch("[0-9]{1,9}", v) else v, "env_value")),
    updated("env-values-true-and-false-read", "env_config",
            each(lambda v: {"true": True, "false": False}.get(v, v), "env_value")),
    updated("env-values-in-latin-1", "env_config", each(in_charset("latin-1"), "env_value")),
    both("env-over-32-items-dropped", "env_config", cut(32)),
    created("env-last-item-lost", "env_config", lambda v: v[:-1] if len(v) > 1 else v),
    created("volumes-swapped", "volume_config", each(lambda i: {
        "host_path": i.get("container_path"), "container_path": i.get("host_path")})),
    updated("volumes-without-a-slash-at-the-end", "volume_config",
            each(lambda v: v.rstrip("/") or v, "container_path")),
    updated("volumes-over-ten-dropped", "volume_config", cut(10)),
    created("volumes-first-only", "volume_config", cut(1)),
)  # fmt: skip


def _joined(name: str) -> Callable[[Write], Mapping[str, Any]]:
    """Adds the items of an update to those that are stored."""

    def change(write: Write) -> Mapping[str, Any]:
        sent, old = write.sent.get(name), write.old.get(name) or []
        return {name: [*old, *(item for item in sent if item not in old)]} if isinstance(sent, list) else {}

    return change


def _doubled_where_sent_again(write: Write) -> Mapping[str, Any]:
    """Stores the labels of an update twice, if they are stored already."""
    sent = write.sent.get("required_labels")
    return {"required_labels": [*sent, *sent]} if sent and sent == write.old.get("required_labels") else {}


def _merged(write: Write) -> Mapping[str, Any]:
    """Sets the variables of an update beside those that are stored."""
    if "env_config" not in write.sent:
        return {}
    items = [*(write.old.get("env_config") or []), *write.sent["env_config"]]
    return {"env_config": list({item.get("env_name"): item for item in items}.values())}


_DEFAULTS = {"exposed_port": 8080, "health_path": "/health", "gpu_count": 0, "replica_count": 1}


def _defaults_ignored(write: Write) -> Mapping[str, Any]:
    """Takes a value that is the default for one that is left out."""
    return {name: write.old[name] for name, value in _DEFAULTS.items() if write.sent.get(name) == value}


def _clamped(least: int, most: int) -> Change:
    return lambda value: max(least, min(most, value))


def _lost(prop: str, when: Callable[[Write], bool]) -> Callable[[Write], Mapping[str, Any]]:
    """Stores a property as it was, or not at all, for some requests."""
    return lambda write: (
        {prop: write.old.get(prop, _DEFAULTS.get(prop))} if prop in write.sent and when(write) else {}
    )


def _external(write: Write) -> bool:
    return type_of(write.request, write.after) == "external"


VALUES: tuple[Fault, ...] = (
    remembering("labels-added-on-update", "updated-stored", rewrites("update", _joined("required_labels"))),
    remembering("labels-doubled-where-sent-again", "updated-stored", rewrites("update", _doubled_where_sent_again)),
    remembering("volumes-added-on-update", "updated-stored", rewrites("update", _joined("volume_config"))),
    remembering("env-merged-on-update", "updated-stored", rewrites("update", _merged)),
    remembering("gpus-0-ignored-on-update", "updated-stored", ignores("gpu_count", is_(0))),
    remembering("desc-empty-ignored-on-update", "updated-stored", ignores("service_desc", is_(""))),
    remembering("name-empty-ignored-on-update", "updated-stored", ignores("display_name", is_(""))),
    remembering("env-empty-ignored-on-update", "updated-stored", ignores("env_config", is_([]))),
    remembering("labels-empty-ignored-on-update", "updated-stored", ignores("required_labels", is_([]))),
    remembering("defaults-ignored-on-update", "updated-stored", rewrites("update", _defaults_ignored)),
    created("health-path-empty-is-the-default", "health_path", lambda v: v or "/health"),
    created("gpus-minus-1-is-0", "gpu_count", _clamped(0, 1000)),
    updated("gpus-minus-1-is-1", "gpu_count", abs),
    created("replicas-clamped-to-5", "replica_count", _clamped(1, 5)),
    updated("port-above-32767-negative", "exposed_port", lambda v: v - 65536 if v > 32767 else v),
    updated("port-as-text-on-update", "exposed_port", str),
    remembering("credential-not-stored-on-create", "created-stored",
                rewrites("create", _lost(_CREDENTIAL, _external))),
    remembering("credential-not-stored-on-update-without-a-url", "updated-stored", rewrites(
        "update", _lost(_CREDENTIAL, lambda w: w.sent[_CREDENTIAL] is not None and "external_url" not in w.sent))),
    remembering("port-not-stored-on-external", "created-stored", rewrites(
        "create", _lost("exposed_port", _external))),
    remembering("replicas-not-stored-on-external-update", "updated-stored", rewrites(
        "update", _lost("replica_count", _external))),
    remembering("openapi-not-stored-for-users", "created-stored", rewrites(
        "create", _lost("openapi_url", lambda w: w.request.kind == "jwt"))),
    remembering("env-not-stored-for-dk", "created-stored", rewrites(
        "create", _lost("env_config", lambda w: w.request.kind == "dk"))),
    remembering("name-not-stored-beside-a-port-on-update", "updated-stored", rewrites(
        "update", _lost("display_name", lambda w: "exposed_port" in w.sent))),
    remembering("labels-not-stored-in-bodies-over-4-kib", "created-stored", rewrites(
        "create", _lost("required_labels", lambda w: len(w.request.raw) > 4096))),
)  # fmt: skip

STORAGE = (*TEXTS, *ITEMS, *VALUES)
