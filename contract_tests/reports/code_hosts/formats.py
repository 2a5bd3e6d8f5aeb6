"""The formats of ``--format`` and their files."""

from collections.abc import Mapping

#: The file of each format.
FORMAT_FILES: Mapping[str, str] = {
    "sarif": "report.sarif",
    "gitlab": "gl-code-quality-report.json",
    "github": "annotations.txt",
    "comment": "comment.md",
}
