"""`python -m pipeline.api --port N`: board and API alone, on the loopback address unless told otherwise."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.api.server import Server, build_board, listen
from pipeline.ending import Ending, run_until_ended
from pipeline.errors import UserError
from pipeline.settings import load_settings

if TYPE_CHECKING:
    import asyncio
    import socket

    from pipeline.api.guard import Guard

_ORDER_SECONDS: Final = 2.0


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit code."""
    ending = Ending()
    parser = argparse.ArgumentParser(prog="python -m pipeline.api", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="port, default 8080")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on, default 127.0.0.1")
    parser.add_argument("--instance", type=Path, help="directory of the instance that the board belongs to")
    arguments = parser.parse_args()
    try:
        board = build_board(load_settings(), arguments.instance)
        listener = listen(arguments.host, arguments.port)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the one line a person reads
        return 1
    return run_until_ended(partial(_serve, board, listener), ending, _ORDER_SECONDS)


async def _serve(board: Guard, listener: socket.socket, stop: asyncio.Event) -> None:
    await Server(board).serve_until(stop, listener)
