"""``python -m examples.deployment --port 9000 --variant auth-401``."""

import argparse
import sys

from examples.deployment.choices import VARIANTS, named


def main() -> None:
    names = ["default", "usual", *VARIANTS]
    parser = argparse.ArgumentParser(prog="python -m examples.deployment", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--callers", help="a YAML file of teams and callers")
    parser.add_argument("--variant", choices=names, default="default", metavar="NAME", help=", ".join(names))
    options = parser.parse_args()
    try:
        import uvicorn

        from examples.deployment.app import create_app
    except ModuleNotFoundError as error:
        sys.stderr.write(f"{error.name} is missing: run `make .venv/dev`, or pip install -e '.[dev]'\n")
        sys.exit(2)
    app = create_app(named(options.variant), options.callers)
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
