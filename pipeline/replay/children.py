"""A plan's partitions spread over processes: one part each, ended together."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.errors import PipelineError, UserError
from pipeline.replay.record import OvertakenError
from pipeline.replay.runner import Done
from pipeline.settings import environment_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.replay.record import ReplayRecord
    from pipeline.settings import Settings

_SECRETS: Final = frozenset({"clickhouse_writer_password", "kafka_sasl_password", "pseudonym_key"})


class Word(msgspec.Struct):
    """A line that a child says: how far it has come, or why it ends.

    Attributes:
        error: cause and remedy of a `UserError`.
        is_overtaken: the run is somebody else's now.
    """

    read: int = 0
    durable: int = 0
    error: tuple[str, str] | None = None
    is_overtaken: bool = False


class PartFailedError(PipelineError):
    """A process that replayed a part has ended by a fault of its own; its stderr has told more."""


async def replay_in_children(
    settings: Settings, record: ReplayRecord, count: int, report: Callable[[Done], None]
) -> None:
    """Replay a begun run in ``count`` processes; cancelled, it ends them.

    Raises:
        UserError: what one of them has said.
        PartFailedError: one of them has ended otherwise.
    """
    done = [Done()] * count

    def note(number: int, word: Word) -> None:
        done[number] = Done(word.read, word.durable)
        report(sum(done, Done()))

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(_replay_part(settings, record, number, count, note))


async def _replay_part(
    settings: Settings, record: ReplayRecord, number: int, count: int, note: Callable[[int, Word], None]
) -> None:
    run = record.plan.run
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.replay", run, str(record.began_ms), str(number), str(count)),
        # it ends when this end of the pipe is closed, also by the death of this process
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment_of(settings, _SECRETS),
        process_group=0,  # Ctrl-C is for this process, which tells the children
    )
    try:
        if child.stdout is None:
            raise RuntimeError("a child without stdout")
        async for line in child.stdout:
            word = msgspec.json.decode(line, type=Word)
            if word.is_overtaken:
                raise OvertakenError(run)
            if word.error is not None:
                raise UserError(*word.error)
            note(number, word)
        if await child.wait():
            raise PartFailedError(
                f"the process of part {number + 1} of {count} ended with exit code {child.returncode}"
            )
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def say(word: Word) -> None:
    """Tell the parent."""
    os.write(1, msgspec.json.encode(word) + b"\n")
