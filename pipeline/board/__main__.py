"""`python -m pipeline.board --port N`: the board alone, on the loopback address."""

from __future__ import annotations

import argparse

from aiohttp import web

from pipeline.board.server import build_board
from pipeline.settings import load_settings


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.board", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="port on 127.0.0.1, default 8080")
    arguments = parser.parse_args()
    web.run_app(build_board(load_settings()), host="127.0.0.1", port=arguments.port, print=None, shutdown_timeout=1.0)


if __name__ == "__main__":
    main()
