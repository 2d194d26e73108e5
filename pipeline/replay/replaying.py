"""A whole replay: its parts in this process or in several, its record, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import time
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final

from pipeline.backoff import Backoff
from pipeline.errors import PipelineError, UserError
from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.replay.beginning import ledger_of
from pipeline.replay.children import replay_in_children
from pipeline.replay.plan import parts
from pipeline.replay.record import BEAT_SECONDS, OvertakenError, State, load_record, write_record
from pipeline.replay.removing import remove_run
from pipeline.replay.runner import Done, PartReplay
from pipeline.replay.sources import erased_in, open_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pipeline.replay.beginning import Begun
    from pipeline.settings import Settings
    from pipeline.transport.ports import TP

    Report = Callable[[Done], None]


_ANSWER_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 60.0
_SETTLE_SECONDS: Final = 3.0
_RETRIES: Final = Backoff(first_seconds=0.2, longest_seconds=5.0)


class Replaying:
    """One run being replayed.

    Args:
        settings: the installation's, with the run's overrides laid over them.
        begun: the run.
        parallel: number of processes.
        report: told how far it has come.
    """

    def __init__(self, settings: Settings, begun: Begun, parallel: int, report: Report) -> None:
        self._parallel = parallel
        self._settings = settings
        self._begun = begun
        self._record = begun.record
        self._ledger = ledger_of(settings, begun.record.plan.run)
        self._report = report
        self._done = Done()
        self._writing: asyncio.Task[None] | None = None
        self._is_told = True  # whether the record says how it ended

    async def run(self, stop: asyncio.Event) -> State:
        """Replay until the end, or until ``stop`` is set; return the state that the run is left in.

        Raises:
            PipelineError: it cannot go on; what is durable stays.
        """
        work = asyncio.create_task(self._replay())
        beating = asyncio.create_task(self._beat())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await _cancelled(work, beating)
                return await self._end(State.STOPPED, "it was asked to stop")
            try:
                work.result()
            except OvertakenError:
                raise
            except PipelineError as error:
                await self._end(State.FAILED, str(error))
                raise
            except Exception as error:
                await self._end(State.FAILED, type(error).__name__)
                raise
            return await self._end(State.COMPLETE, "")
        finally:
            await _cancelled(work, beating, stopping)

    async def remove(self) -> None:
        """Take everything of the run out of the database.

        Raises:
            UserError: ClickHouse does not answer; nothing, or a part, is removed.
        """
        run = self._record.plan.run
        still_there = UserError(
            f"cancelled, but ClickHouse does not answer: what run {run} has counted is still there",
            f"remove it when it answers: roi runs drop {run}",
        )
        if not self._is_told:
            raise still_there
        try:
            await asyncio.to_thread(remove_run, self._ledger, self._record)
        except LedgerUnavailableError as error:
            raise still_there from error

    async def _replay(self) -> None:
        plan = self._record.plan
        count = len(parts(plan, self._parallel))
        if count > 1:
            try:
                await replay_in_children(self._settings, self._record, count, self._note)
            except* PipelineError as errors:
                raise errors.exceptions[0] from None
        else:
            await replay_part(self._settings, self._begun, frozenset(log.tp for log in plan.logs), self._note)

    def _note(self, done: Done) -> None:
        self._done = done
        self._report(done)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self._write(State.RUNNING, "")

    async def _end(self, state: State, cause: str) -> State:
        """Have the record say how it ended; of a run that did not reach its end its silence says enough."""
        deadline = time.monotonic() + (_PATIENCE_SECONDS if state is State.COMPLETE else 0.0)
        for failures in count(1):
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await self._write(state, cause)
            except (LedgerUnavailableError, TimeoutError) as error:
                self._is_told = False
                if time.monotonic() > deadline:
                    if state is not State.COMPLETE:
                        return state
                    run = self._record.plan.run
                    raise UserError(
                        f"run {run} is counted, but ClickHouse does not answer, so its record does not say so",
                        f"when it answers: roi replay --run {run} --resume",
                    ) from error
                await asyncio.sleep(_RETRIES.delay(failures))
            else:
                self._is_told = True
                break
        return state

    async def _write(self, state: State, cause: str) -> None:
        while self._writing is not None and not self._writing.done():  # a thread goes on when its waiter is cancelled
            await asyncio.wait({self._writing})
        self._record = replace(self._record, state=state, cause=cause, events=self._done.durable)
        self._writing = asyncio.create_task(asyncio.to_thread(write_record, self._ledger, self._record))
        await asyncio.shield(self._writing)


async def replay_part(settings: Settings, begun: Begun, part: frozenset[TP], report: Report) -> None:
    """Replay some partitions of a run in this process."""
    plan = begun.record.plan
    open_ledger = partial(ledger_of, settings, plan.run)
    ledger = await asyncio.to_thread(open_ledger)
    is_erased = await asyncio.to_thread(erased_in, ledger, begun.policy)

    def is_own() -> bool:
        known = load_record(ledger)
        return known is not None and known.began_ms == begun.record.began_ms

    source = open_source(settings, plan, part, begun.policy, is_erased)
    gc.disable()  # the processor collects now and then instead, where it can keep the state out of it
    try:
        await PartReplay(
            plan=plan,
            part=part,
            policy=begun.policy,
            open_ledger=open_ledger,
            source=source,
            is_own=is_own,
            report=report,
        ).run()
    finally:
        gc.enable()


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and give them a while: a part may hang in a client whose server is frozen."""
    for task in tasks:
        task.cancel()
    done, _ = await asyncio.wait(tasks, timeout=_SETTLE_SECONDS)
    for task in done:
        if not task.cancelled():
            task.exception()  # it is told already, or nobody asks any more
