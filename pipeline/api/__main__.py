"""`python -m pipeline.api --port N`: the board alone, on the loopback address unless told otherwise."""

from __future__ import annotations

import argparse

from aiohttp import web

from pipeline.api.server import build_board
from pipeline.settings import load_settings


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.api", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="port, default 8080")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on, default 127.0.0.1")
    arguments = parser.parse_args()
    web.run_app(
        build_board(load_settings()), host=arguments.host, port=arguments.port, print=None, shutdown_timeout=1.0
    )


if __name__ == "__main__":
    main()
