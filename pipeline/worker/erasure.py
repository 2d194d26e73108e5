"""Carrying erasures through: read what the ledger has of a customer, take it out of the numbers, delete the rows.

Nothing stands still meanwhile: an erased customer's events are skipped from the moment the request is read, so what is
read and deleted here changes no more. Every stage is durable before the next begins, and each may be repeated.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from pipeline.error_words import places
from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.state.history import History, StoredCredit, StoredLogin, StoredTouch
from pipeline.state.rows import ErasedCounts, Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.worker.shard import OwnedShard

_log = logging.getLogger(__name__)
_ATTEMPT_SECONDS: Final = 0.05
AFTER_FAILURE_SECONDS: Final = 5.0


async def erase_for_ever(erase: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
    """Take erasures further again and again, with a pause before each stage.

    One that fails is tried again: a customer's history must not end the counting of all others.
    """
    while True:
        await asyncio.sleep(pause_seconds)
        try:
            await erase()
        except LedgerUnavailableError as error:
            _log.warning("erasures wait for ClickHouse (%s), trying again", error)
        except Exception as error:  # noqa: BLE001 - whatever it is
            _log.error("an erasure failed: %s; trying again", places(error))
            await asyncio.sleep(AFTER_FAILURE_SECONDS)


class Eraser:
    """Takes the erasures of a worker's shards from stage to stage.

    Args:
        ledger: a connection of its own, with the name under which the worker's blocks are written.
        pause: returns what keeps the worker's blocks from being written while it is held.
        labels: what the ledger calls each attribution model.
    """

    def __init__(self, ledger: LedgerPort, pause: Callable[[], asyncio.Lock], labels: Sequence[str]) -> None:
        self._ledger = ledger
        self._pause = pause
        self._models = {label: number for number, label in enumerate(labels)}

    async def advance_all(
        self,
        shards: Iterable[OwnedShard],
        on_news: Callable[[], None],
        on_broken: Callable[[OwnedShard, Exception], None],
    ) -> None:
        """Do the next stage of each shard's erasures: one that fails keeps back none of the others'.

        Args:
            shards: the owned ones.
            on_news: called when a shard's next block has something to say about it.
            on_broken: told of a shard whose state was dropped here, and why: on a quiet partition nobody else finds it.

        Raises:
            LedgerUnavailableError: nothing is lost, the call can be repeated.
            Exception: what the first shard failed with, once all have had their turn.
        """
        failures: list[Exception] = []
        for shard in shards:
            was_broken = shard.is_broken
            try:
                if await self.advance(shard):
                    on_news()
            except LedgerUnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is
                if failures:
                    _log.error("the erasures of shard %d failed, too: %s", shard.number, places(error))
                failures.append(error)
                if shard.is_broken and not was_broken:
                    on_broken(shard, error)
        if failures:
            raise failures[0]

    async def advance(self, shard: OwnedShard) -> bool:
        """Do the next stage of a shard's erasures; return whether its next block has something to say about it.

        Raises:
            LedgerUnavailableError: nothing is lost, the call can be repeated.
        """
        if shard.is_broken:
            shard.profiles.drop()  # whoever waits for them finds the state broken
            return False
        return await self._revert(shard, shard.core.erasures_at(Stage.BEGUN)) or await self._delete(
            shard, shard.core.erasures_at(Stage.SUBTRACTED)
        )

    async def _revert(self, shard: OwnedShard, begun: Mapping[bytes, int]) -> bool:
        if not begun:
            return False
        histories = await asyncio.to_thread(read_histories, self._ledger, shard.number, list(begun), self._models)
        if shard.is_broken:
            return False
        try:
            shard.revert_erased(histories)
        except BaseException:
            shard.is_broken = True  # half of it may be booked
            raise
        return True

    async def _delete(self, shard: OwnedShard, subtracted: Mapping[bytes, int]) -> bool:
        if not subtracted:
            return False
        await self._no_attempt_runs()
        touches = await asyncio.to_thread(
            delete_rows, self._ledger, shard.number, list(subtracted), max(subtracted.values())
        )
        if shard.is_broken:
            return False
        shard.finish_erasure(subtracted, touches)
        _log.info("erased %d customers", len(subtracted))
        return True

    async def _no_attempt_runs(self) -> None:
        """Return at a moment at which no block is being written, so that none from before can bring rows back."""
        while True:
            async with self._pause():
                ((running,),) = await asyncio.to_thread(self._ledger.fetch, "erase_attempts", owner=self._ledger.owner)
            if not running:
                return
            await asyncio.sleep(_ATTEMPT_SECONDS)


def read_histories(
    ledger: LedgerPort, shard: int, pseudonyms: Sequence[bytes], models: Mapping[str, int]
) -> dict[bytes, History]:
    """Return everything the ledger has of some customers, who may be unknown to it."""
    found = {pseudonym.hex(): History() for pseudonym in pseudonyms}
    names = list(found)
    for customer, *touch in ledger.fetch("erase_touches", shard=shard, customers=names):
        found[customer].touches.append(StoredTouch(*touch))
    for customer, transaction, model, *credit in ledger.fetch(
        "erase_credits", shard=shard, customers=names, labels=list(models)
    ):
        found[customer].credits.append(StoredCredit(transaction, models[model], *credit))
    for customer, *login in ledger.fetch("erase_logins", shard=shard, customers=names):
        found[customer].logins.append(StoredLogin(*login))
    for customer, *counts in ledger.fetch("erase_counts", shard=shard, customers=names):
        found[customer].counts = ErasedCounts(*counts)
    return {bytes.fromhex(name): history for name, history in found.items()}


def delete_rows(ledger: LedgerPort, shard: int, pseudonyms: Sequence[bytes], version: int) -> list[tuple[str, int]]:
    """Delete all rows about some customers that blocks up to a version hold; return their touches' ids and times."""
    names = [pseudonym.hex() for pseudonym in pseudonyms]
    touches = ledger.fetch("erase_touches", shard=shard, customers=names)
    for statement in ("erase_adjustments", "erase_rows"):
        ledger.execute(statement, shard=shard, customers=names, version=version)
    return [(touch[4], touch[3]) for touch in touches]
