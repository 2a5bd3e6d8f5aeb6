"""Reports that code hosts show beside the code: ``--format`` adds each to the report folder. Like ``reports``."""

from collections.abc import Mapping

#: The file of each format.
FORMAT_FILES: Mapping[str, str] = {
    "sarif": "report.sarif",
    "gitlab": "gl-code-quality-report.json",
    "github": "annotations.txt",
    "comment": "comment.md",
}
