"""What the gate says of faults that no single rule describes: consequences, other names, and what it misses."""

from collections.abc import Iterable, Mapping

_PROPERTY_RULES = (
    *(
        "service-slug-type",
        "service-slug-pattern",
        "display-name-type",
        "display-name-length",
        "service-desc-type",
    ),
    *(
        "service-type-enum",
        "docker-image-type",
        "external-url-type",
        "external-url-format",
        "external-url-pattern",
    ),
    *("external-url-length", "external-credential-type", "external-credential-format", "exposed-port-type"),
    *(
        "exposed-port-range",
        "health-path-type",
        "env-config-type",
        "env-config-item-type",
        "env-name-required",
    ),
    *(
        "env-name-type",
        "env-value-required",
        "env-value-type",
        "volume-config-type",
        "volume-config-item-type",
    ),
    *("host-path-required", "host-path-type", "container-path-required", "container-path-type"),
    *("required-labels-type", "required-labels-item-type", "gpu-count-type", "gpu-count-range"),
    *(
        "replica-count-type",
        "replica-count-range",
        "usage-prompt-type",
        "openapi-url-type",
        "openapi-url-length",
    ),
    *("texts-unbounded", "unknown-properties-ignored", "unused-properties-accepted"),
)
_EVERY_UPDATE = (
    *("body-json", "body-media-type", "body-object", "body-keys", "body-text", "body-depth", "request-forms"),
    *("team-ignored-for-credentials", "team-required-for-jwt", "team-optional-for-credentials", "team-scope"),
    *("external-credential-null-accepted", "external-url-on-external-only", "updated", "service-id-format"),
    *("external-credential-on-external-only", "unused-properties-accepted", "auth-bearer", "auth-required"),
    *("service-exists", "external-credential-null-keeps", "slug-unique", "service-type-immutable"),
)


def _for_each(faults: Iterable[str], rules: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """Return the same consequences for several faults."""
    return dict.fromkeys(faults, rules)


#: By fault: the rules that the gate may also name, and why each truly follows.
CONSEQUENCES: Mapping[str, Mapping[str, str]] = {
    "update-not-validated-for-dk": dict.fromkeys(
        _PROPERTY_RULES, "an invalid value of an update is accepted"
    ),
    "update-stores-three-properties": {
        **dict.fromkeys(_PROPERTY_RULES, "an invalid value of an update is accepted"),
        "request-forms": "which three are the first depends on the order of the keys",
    },
    "one-busy-service-locks-its-team": dict.fromkeys(
        _EVERY_UPDATE, "any update may be refused, whatever it sends"
    ),
    "lock-stays-after-a-refused-update": {
        "team-required-for-jwt": "an update without a team is refused for the lock, with its status",
    },
    **_for_each(
        ("create-loses-the-last-property", "update-loses-the-last-property"),
        {"request-forms": "which property is the last one depends on the order of the keys"},
    ),
    "labels-not-stored-in-bodies-over-4-kib": {
        "request-forms": "an indented or escaped body is longer than the same body in its usual form"
    },
    "empty-env-value-beside-another-refused": {
        "env-config-type": "the items are refused together",
    },
    "second-instance-takes-names-up-to-100": dict.fromkeys(
        ("request-forms", "updated", "created", "update-partial", "display-name-type", "texts-unbounded"),
        "a long name is refused sometimes, whatever else is sent",
    ),
    "update-changes-the-service-before": {
        "slug-immutable": "an update that names a slug changes the service before",
        "update-keeps-omitted": "the service before keeps nothing",
    },
    "no-image-crashes": {"service-type-enum": "a create of a wrong type without an image crashes, too"},
    "url-of-another-form-crashes": {"external-url-pattern": "a URL of another scheme crashes, too"},
    "jwt-refused-for-its-second-team": {"auth-bearer": "a bearer token is refused for its second team"},
    "replicas-beside-volumes-refused": {
        "request-forms": "the body of 16 KiB has both properties",
        "replica-count-range": "either property may be taken back",
    },
    **_for_each(
        ("service-id-format-at-first-only", "service-id-format-once-only"),
        {"updated": "an id that is no UUID is answered as it was sent"},
    ),
    "empty-update-crashes-on-external": {"not-while-busy": "an empty update crashes while busy, too"},
    "null-credential-crashes-for-users": {
        "external-url-on-external-only": "a null credential beside a URL crashes",
        "team-scope": "a null credential crashes for colleagues, too",
        "updated": "a null credential beside others crashes",
        "not-while-busy": "a null credential crashes while busy, too",
    },
    "every-other-long-description-refused": {
        "updated": "an update with a long description is refused sometimes",
        "created": "a create with a long description is refused sometimes",
        "update-partial": "an update with a long description is refused sometimes",
        "request-forms": "a body of 16 KiB has a long description",
    },
    **_for_each(
        ("type-default-not-stored", "type-default-external"),
        {"created-stored": "the read-back of a create without a type shows another one"},
    ),
    **_for_each(
        ("body-over-10000-bytes-refused-on-update", "body-over-9000-bytes-crashes-for-dk"),
        dict.fromkeys(
            ("update-partial", "team-optional-for-credentials", *_PROPERTY_RULES),
            "a long body is refused, whatever makes it long",
        ),
    ),
    **_for_each(
        ("url-without-a-path-refused-on-create", "url-with-a-slash-at-the-end-refused-on-update"),
        {
            "unused-properties-accepted": "the request of the reference page has such a URL",
            "external-url-length": "the longest URL ends like this",
        },
    ),
    "other-media-type-crashes": {"request-forms": "the same media type in capitals crashes, too"},
    "image-before-the-slug-refused": {"service-slug-pattern": "the slug is last in a usual create"},
}

#: Found, but under the rules of what the gate happened to send: by fault, why.
OTHERWISE: Mapping[str, str] = {
    "update-of-one-property-refused-for-users": "each single property is refused, so its rule is named",
    "update-without-a-change-refused": "a value that is stored already is refused; its rule is named",
    "credential-without-a-url-refused-on-update": "a credential alone is refused, so its own rules are named",
    "slug-follows-the-name": "the old slug is free after a change of the name, which breaks slug-unique",
}

#: Not found, and why no case is worth its requests.
MISSED: Mapping[str, str] = {
    "each-kind-of-caller-updates-a-copy": "shows only if two kinds of callers update in turn, and each reads its own",
    "url-length-unchecked-for-dk-on-update": "one limit, one caller kind, one operation: 2 of 10,000 such triples",
    "slugs-compared-by-their-ends": "two slugs of one end meet only by chance",
    "id-in-the-body-of-a-create-obeyed": "an unknown property is only assumed to have no effect",
}
