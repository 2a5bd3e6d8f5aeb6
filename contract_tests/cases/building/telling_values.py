"""Telling values: valid values that show any alteration once they are read back.

Each has blanks, mixed letter case, composed and decomposed letters, markup, separators, a length that cuts would
show, or an order that no sorting leaves alone. The last one of a property is empty, where an empty value is a value.
"""

from collections.abc import Mapping
from typing import Any

#: Values by property.
Values = Mapping[str, tuple[Any, ...]]


def _long_text(start: str, length: int) -> str:
    """Return a text of that length whose every part differs, so that a cut anywhere shows."""
    words = (f"{number} " for number in range(length))
    return (start + "".join(words))[:length]


_ODD = " Two  blanks, N\u00e4me \\ \"quoted\" 'it''s' <b>&amp;</b> %20 {x} "
_LINES = "  One,\r\n\ttwo\n\nthree \\n \u2028 <i>Four</i>  "
_SIGNS = (
    "e\u0301 \ufb01 \u212b \u00e7 \u0416 \u4e2d \U0001f468\u200d\U0001f467 \u05e9\u05dc\u05d5\u05dd\u200f"
)
#: In the order in which they are used.
TELLING_VALUES: Values = {
    "display_name": (_ODD, _SIGNS, "\U0001f600" * 200 + _long_text("", 55), ""),
    "service_desc": (_LINES, _SIGNS + _ODD, _long_text("Text ", 1200), ""),
    "docker_image": (
        "registry.example.com:5000/team/app_1:v1.2-RC",
        f"ghcr.io/a/b.c@sha256:{'0f' * 32}",
        _long_text("r.example.com/app:v", 300).replace(" ", "."),
        f"nginx {_SIGNS}{_ODD}",
    ),
    "exposed_port": (1, 65535, 443, 8081),
    "health_path": ("/Health//?a=B&c=%20#d", " healthz \\ \u00fc" + _LINES, _long_text("/", 300), ""),
    "env_config": (
        [
            {"env_name": "Z_LAST", "env_value": _LINES},
            {"env_name": "A_FIRST", "env_value": ""},
            {"env_name": "mixed_Case", "env_value": _SIGNS},
        ],
        [
            {"env_name": "ONE", "env_value": "null"},
            {"env_name": "ANOTHER", "env_value": "0123"},
            {"env_name": "TRUE", "env_value": "true"},
            {"env_name": "EQUAL", "env_value": "a=b=c==,;d"},
            {"env_name": "QUOTED", "env_value": _ODD},
        ],
        [{"env_name": f"N{n}", "env_value": _long_text("", 310) if n == 17 else str(n)} for n in range(40)],
        [],
    ),
    "volume_config": (
        [
            {"host_path": "/z/My  Data/", "container_path": "/A"},
            {"host_path": "/a", "container_path": "/z:ro"},
        ],
        [{"host_path": "relative/\u00fc", "container_path": ' /c <b>&amp;"d" '}],
        [
            {"host_path": f"/h{n}/", "container_path": f"/c{n}/" if n else _long_text("/", 300)}
            for n in range(17, -1, -1)
        ],
        [],
    ),
    "required_labels": (
        ["zone=B", "Gpu", " a label,  with comma "],
        [_SIGNS, "single", "", "true", _LINES],
        [_long_text("", 300), *(f"label-{n}" for n in range(18, 0, -1))],
        [],
    ),
    "gpu_count": (-1, 8, 123, 0),
    "replica_count": (10, 2, 7, 1),
    "usage_prompt": (
        ' POST {"model": "X"}\n\u4f60\u597d ',
        _SIGNS + _ODD + _LINES,
        "\u00e9" * 900 + _long_text("", 3300),
        "",
    ),
    "openapi_url": (
        "/OpenAPI.json?full=1&Lang=EN#x",
        " https://example.com/a  b.yaml " + _SIGNS,
        _long_text("/", 500),
        "",
    ),
    "external_url": (
        "https://Telling.Example.com:8443/a/B?c=D&e=%2f#G",
        "https://b.example.com?x=1&y=",
        _long_text("https://c.example.com/", 2048).replace(" ", "/"),
        "https://c.example.com/",
    ),
    "external_auth_credential_id": (
        "7d444840-9dc0-41d1-b245-5ffdce74fad2",
        "0192f0c1-2b3c-7d4e-8f50-616263646566",
    ),
}

_EXTERNAL_ONLY = ("external_url", "external_auth_credential_id")


def list_properties(service_type: str) -> tuple[str, ...]:
    """Return the properties that a service of this type uses."""
    unused = ("docker_image",) if service_type == "external" else _EXTERNAL_ONLY
    return tuple(name for name in TELLING_VALUES if name not in unused)


def choose_values(service_type: str, number: int, values: Values = TELLING_VALUES) -> dict[str, Any]:
    """Return one of the values of every property of the type; ``number`` chooses which."""
    return {
        name: values[name][number % len(values[name])]
        for name in list_properties(service_type)
        if name in values
    }
