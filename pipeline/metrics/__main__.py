"""`python -m pipeline.metrics docs [--check]`: write docs/metrics.md, or fail where it differs from the registry."""

from __future__ import annotations

import argparse
import sys

from pipeline.metrics.docs import PATH, render


def main() -> int:
    """Return the exit code: 1 where ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.metrics", description="The metric registry.")
    commands = parser.add_subparsers(dest="command", required=True)
    docs = commands.add_parser("docs", help="write docs/metrics.md")
    docs.add_argument("--check", action="store_true", help="only compare; exit code 1 where they differ")
    if parser.parse_args().check:
        if not PATH.exists() or PATH.read_text() != render():
            sys.stderr.write(f"{PATH.name} is not what the registry says; run: python -m pipeline.metrics docs\n")
            return 1
        return 0
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(render())
    return 0


if __name__ == "__main__":
    sys.exit(main())
