"""A replay as the work of a process: what Ctrl-C and other signals mean to it."""

from __future__ import annotations

import asyncio
import logging
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.errors import UserError
from pipeline.replay.record import State
from pipeline.replay.replaying import Replaying

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.replay.beginning import Begun
    from pipeline.replay.runner import Done
    from pipeline.settings import Settings

_STOPPING: Final = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a replay ended: the state its run is left in, None if nothing of it is left; and the records it has read.

    Attributes:
        problem: why something of a cancelled run is left after all.
    """

    state: State | None
    records: int
    problem: UserError | None = None


def replay(settings: Settings, begun: Begun, parallel: int, show: Callable[[int], None]) -> Ended:
    """Replay a run in this process, the main thread of which calls.

    SIGINT cancels: everything of the run is removed. SIGTERM stops: what is durable stays, and can be resumed.

    Args:
        settings: the installation's, with the run's overrides laid over them.
        begun: the run.
        parallel: number of processes.
        show: told how many records have been read.

    Returns:
        how it ended; asked to end, the process has to end by `pipeline.ending.leave`.
    """
    runner = asyncio.Runner()
    try:
        ended = runner.run(_replay(settings, begun, parallel, show))
    except BaseException:
        runner.close()
        raise
    if ended.state is State.COMPLETE:
        runner.close()  # else it would wait for threads that may wait for a frozen server: the caller has to `leave`
    return ended


def quiet_clients() -> None:
    """Have the clients of Kafka and ClickHouse leave it to our own messages that a server does not answer."""
    for name in ("aiokafka", "kafka", "urllib3", "clickhouse_connect"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


async def _replay(settings: Settings, begun: Begun, parallel: int, show: Callable[[int], None]) -> Ended:
    stop, heard = asyncio.Event(), list[signal.Signals]()
    loop = asyncio.get_running_loop()

    def hear(number: signal.Signals) -> None:
        heard.append(number)
        stop.set()

    for number in (signal.SIGINT, *_STOPPING):
        loop.add_signal_handler(number, hear, number)
    read = 0

    def report(done: Done) -> None:
        nonlocal read
        read = done.read
        show(done.read)

    replaying = Replaying(settings, begun, parallel, report)
    try:
        state = await replaying.run(stop)
    finally:
        for number in (signal.SIGINT, *_STOPPING):
            loop.remove_signal_handler(number)
    if signal.SIGINT in heard:
        try:
            await replaying.remove()
        except UserError as error:
            return Ended(state, read, error)
        return Ended(None, read)
    return Ended(state, read)
