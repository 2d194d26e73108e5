"""`python -m pipeline.api --port N`: the board alone, on the loopback address unless told otherwise."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from pipeline.api.server import build_board
from pipeline.ending import Ending, run_until_ended
from pipeline.settings import load_settings

if TYPE_CHECKING:
    import asyncio

_ORDER_SECONDS: Final = 2.0


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit code."""
    ending = Ending()
    parser = argparse.ArgumentParser(prog="python -m pipeline.api", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="port, default 8080")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on, default 127.0.0.1")
    parser.add_argument("--instance", type=Path, help="directory of the instance that the board belongs to")
    arguments = parser.parse_args()
    board = build_board(load_settings(), arguments.instance)
    return run_until_ended(partial(_serve, board, arguments.host, arguments.port), ending, _ORDER_SECONDS)


async def _serve(board: web.Application, host: str, port: int, stop: asyncio.Event) -> None:
    runner = web.AppRunner(board, handle_signals=False, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        await stop.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
