"""Certificates of servers on this machine."""

import subprocess
from pathlib import Path


def make_certificate(folder: Path) -> Path:
    """Return a new self-signed certificate for localhost and its key, in one file."""
    path = folder / "both.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    options = ["-addext", "subjectAltName=DNS:localhost", "-keyout", path, "-out", path.with_suffix(".crt")]
    subprocess.run([*command, *options], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path
