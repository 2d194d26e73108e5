"""A process that replays one part of a begun run; `pipeline.replay.children` starts it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.replay.beginning import resumed
from pipeline.replay.children import Word, say
from pipeline.replay.plan import parts
from pipeline.replay.process import quiet_clients
from pipeline.replay.record import OvertakenError
from pipeline.replay.replaying import replay_part

if TYPE_CHECKING:
    from pipeline.replay.runner import Done


def main(run: str, began_ms: int, number: int, count: int) -> int:
    """Replay part ``number`` of ``count`` of the run that began then; return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    quiet_clients()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        settings, begun = resumed(run, began_ms)
        asyncio.run(replay_part(settings, begun, parts(begun.record.plan, count)[number], _report))
    except UserError as error:
        say(Word(error=(error.cause, error.remedy), is_overtaken=isinstance(error, OvertakenError)))
        return 1
    return 0


def _report(done: Done) -> None:
    say(Word(done.read, done.durable))


def _end_with_parent() -> None:
    """End at once when the parent has closed its end of the pipe; what is durable stays."""
    while os.read(0, 1):  # not by sys.stdin, whose lock this process could not end with
        pass
    os._exit(1)


if __name__ == "__main__":
    run, began_ms, number, count = sys.argv[1:]
    sys.exit(main(run, int(began_ms), int(number), int(count)))
