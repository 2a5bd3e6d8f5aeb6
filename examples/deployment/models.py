"""Pydantic models of the two bodies, always validated in strict mode and with the choices as context."""

import ipaddress
import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator, model_validator

from examples.deployment.choices import Choices

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_UUID_FORMS = re.compile(r"(?:urn:uuid:|\{)?(?:[0-9A-Fa-f]{32}|" + _UUID.pattern + r")\}?")
_IP_FUTURE = re.compile(r"v[0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:\-]+", re.IGNORECASE)
_COMMON = r"A-Za-z0-9._~!$&'()*+,;=\-"
_ESCAPE = r"%[0-9A-Fa-f]{2}"
_HTTPS_URI = re.compile(  # RFC 3986, section 3, with the https scheme and a host that is not empty
    rf"https://(?:(?:[{_COMMON}:]|{_ESCAPE})*@)?"
    rf"(?:\[(?P<literal>[^\[\]]+)\]|(?P<name>(?:[{_COMMON}]|{_ESCAPE})+))(?::[0-9]*)?"
    rf"(?:/(?:[{_COMMON}:@/]|{_ESCAPE})*)?"
    rf"(?:\?(?:[{_COMMON}:@/?]|{_ESCAPE})*)?(?:#(?:[{_COMMON}:@/?]|{_ESCAPE})*)?"
)


def _choices(info: ValidationInfo) -> Choices:
    assert isinstance(info.context, Choices)
    return info.context


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def usual_uuid(text: str) -> str:
    """A UUID in braces, after ``urn:uuid:`` or without hyphens in its usual form; any other text as it is."""
    return str(UUID(text)) if _UUID_FORMS.fullmatch(text) else text


def _uuid(text: str, info: ValidationInfo) -> str:
    choices = _choices(info)
    if choices.credential_forms_read:
        text = usual_uuid(text)
    if not is_uuid(text):
        raise ValueError("not a UUID")
    if choices.credential_capitals_refused and text != text.lower():
        raise ValueError("not in small letters")
    if choices.credential_versions_refused and not (text[14] in "1234567" and text[19] in "89abAB"):
        raise ValueError("a UUID of no known version")
    return text.lower()


def _is_ip_literal(text: str) -> bool:
    if _IP_FUTURE.fullmatch(text):
        return True
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


def _is_private(host: str) -> bool:
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(name).is_global
    except ValueError:
        return False


def _is_one_label(host: str) -> bool:
    name = host.rstrip(".").lower()
    return "." not in name and name != "localhost"


def _escaped(text: str) -> str:
    """The URI that is meant: only an authority with a blank or ``<`` means none."""
    authority = re.split("[/?#]", text.removeprefix("https://"))[0]
    if {" ", "<"} & set(authority):
        return text
    return quote(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text), safe="%:/?#[]@!$&'()*+,;=~")


def _https_uri(text: str, info: ValidationInfo) -> str:
    choices = _choices(info)
    match = _HTTPS_URI.fullmatch(_escaped(text) if choices.url_characters_accepted else text)
    if match is None or (match["literal"] and not _is_ip_literal(match["literal"])):
        raise ValueError("not an absolute https URI")
    host = match["literal"] or match["name"]
    if choices.private_hosts_refused and _is_private(host):
        raise ValueError("the host is not a public one")
    if choices.one_label_hosts_refused and not match["literal"] and _is_one_label(host):
        raise ValueError("the host has one label")
    return text


CredentialId = Annotated[str, AfterValidator(_uuid)]
HttpsUri = Annotated[str, Field(max_length=2048, pattern="^https://"), AfterValidator(_https_uri)]
# Pydantic's patterns are Rust's: `$` is the end of the text, never the place before a last newline.
Slug = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{1,98}[a-z0-9]$")]
DisplayName = Annotated[str, Field(max_length=255)]


class Item(BaseModel):
    @model_validator(mode="after")
    def _complete(self, info: ValidationInfo) -> Self:
        missing = set(type(self).model_fields) - self.model_fields_set
        if missing and _choices(info).item_properties_required:
            raise ValueError(f"left out: {', '.join(sorted(missing))}")
        return self


class EnvItem(Item):
    env_name: str = ""
    env_value: str = ""

    @field_validator("env_name")
    @classmethod
    def _named(cls, value: str, info: ValidationInfo) -> str:
        if not value and _choices(info).empty_env_names_refused:
            raise ValueError("empty")
        return value


class VolumeItem(Item):
    host_path: str = ""
    container_path: str = ""


class ServiceFields(BaseModel):
    """What create and update share. No type admits null: where it means absent, it is dropped before."""

    service_desc: str = ""
    docker_image: str = ""
    exposed_port: Annotated[int, Field(ge=1, le=65535)] = 8080
    health_path: str = "/health"
    env_config: list[EnvItem] = []
    volume_config: list[VolumeItem] = []
    required_labels: list[str] = []
    gpu_count: int = 0
    replica_count: Annotated[int, Field(ge=1, le=10)] = 1
    usage_prompt: str = ""
    openapi_url: Annotated[str, Field(max_length=500)] = ""
    external_url: HttpsUri = ""
    external_auth_credential_id: CredentialId = ""

    @field_validator("gpu_count")
    @classmethod
    def _gpu_count(cls, value: int, info: ValidationInfo) -> int:
        if value < -1 and _choices(info).gpu_below_minus_one_refused:
            raise ValueError("less than -1")
        if value >= 2**31 and _choices(info).large_gpu_counts_refused:
            raise ValueError("too large")
        return value

    @field_validator("external_auth_credential_id")
    @classmethod
    def _known_credential(cls, value: str, info: ValidationInfo) -> str:
        known = _choices(info).known_credentials
        if known is not None and value not in known:
            raise ValueError("no such credential")
        return value

    def sent(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


class CreateBody(ServiceFields):
    service_slug: Slug
    display_name: DisplayName
    service_type: Literal["deployed", "external"] = "deployed"

    @model_validator(mode="after")
    def _goes_with_type(self, info: ValidationInfo) -> Self:
        choices, sent = _choices(info), self.model_fields_set
        if self.service_type == "deployed":
            needed, refused = "docker_image", set[str]()
            if choices.deployed_credential_refused:
                refused.add("external_auth_credential_id")
            if choices.deployed_external_url_refused:
                refused.add("external_url")
            if self.docker_image == "" and choices.empty_docker_image_refused:
                sent = sent - {"docker_image"}
        else:
            needed = "external_url"
            refused = {"docker_image"} if choices.external_docker_image_refused else set()
        if needed not in sent:
            raise ValueError(f"{needed} is required when service_type is {self.service_type}")
        if refused & sent:
            raise ValueError(f"not for service_type {self.service_type}: {', '.join(sorted(refused & sent))}")
        return self

    def definition(self) -> dict[str, Any]:
        """What is kept: what was sent, the documented defaults, and nothing without effect."""
        kept = self.sent()
        for name in ("exposed_port", "health_path", "gpu_count", "replica_count"):
            kept.setdefault(name, getattr(self, name))
        unused = {"service_slug", "service_type"}
        if self.service_type == "deployed":
            unused |= {"external_url", "external_auth_credential_id"}
        return {name: value for name, value in kept.items() if name not in unused}


class UpdateBody(ServiceFields):
    display_name: DisplayName = ""

    @field_validator("docker_image")
    @classmethod
    def _image(cls, value: str, info: ValidationInfo) -> str:
        if not value and _choices(info).empty_docker_image_update_refused:
            raise ValueError("empty")
        return value
