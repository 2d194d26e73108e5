"""`roi alerts run`: the evaluator as a process. One instance decides; others stand by.

Of an epoch's tasks each may run while the others wait for something that is away: Kafka, a receiver, a slow look.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pipeline.alerts.desk import Desk, insistently
from pipeline.alerts.evaluator import Evaluator
from pipeline.alerts.garbage import Garbage
from pipeline.alerts.leading import SignsOfLife, until_free
from pipeline.alerts.lifecycle import Conduct
from pipeline.alerts.log import Addressing
from pipeline.alerts.publishing import publish_for_ever
from pipeline.alerts.record import Moment
from pipeline.alerts.telemetry import STALE_SECONDS
from pipeline.errors import FencedError
from schemas.instants import instant_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from pipeline.alerts.evaluator import Looks
    from pipeline.alerts.publishing import Publisher
    from pipeline.alerts.store import AlertStore
    from pipeline.alerts.telemetry import AlertTelemetry
    from pipeline.settings import Settings

    Sender: TypeAlias = Callable[[Desk], Coroutine[Any, Any, None]]

_ACTION_SECONDS: Final = 0.25
_LONGEST_ACTION_SECONDS: Final = 1.0
_ACTION_RESTS: Final = 20  # the question is to cost a twentieth of a core at most
_RESTS: Final = 9
_LONGEST_REST_SECONDS: Final = 5.0
_MARGIN_SECONDS: Final = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service talks to.

    Attributes:
        open_store: makes a store of one owner, with a connection of its own.
        looks: at the campaigns.
        publisher: to Kafka.
        senders: to receivers and others, beside Kafka; each runs until its desk is another instance's (FencedError).
        telemetry: counts.
    """

    open_store: Callable[[str], Awaitable[AlertStore]]
    looks: Looks
    publisher: Publisher
    senders: Sequence[Sender]
    telemetry: AlertTelemetry


def moment() -> Moment:
    """Return now."""
    return Moment(time.time_ns() // 1_000_000, time.monotonic())


def conduct_of(settings: Settings, installation: str) -> Conduct:
    """Return what the lifecycle needs of the settings; ``installation`` names this one and no other."""
    return Conduct(
        installation=installation,
        board_url=settings.board_url,
        wall_hold_seconds=settings.alerts.wall_hold_seconds,
        four_eyes=settings.alerts.four_eyes,
    )


def addressing_of(settings: Settings) -> Addressing:
    """Return whom the settings name."""
    systems = frozenset(name for name, receiver in settings.receivers.items() if receiver.is_webhook)
    return Addressing(settings.board_url, settings.alerts.receivers, frozenset(settings.receivers), systems)


def rest_seconds(tick_seconds: float, took_seconds: float) -> float:
    """Return how long to rest after a look: till the next tick, but nine times as long as it took, up to 5 s or tick.

    While a backlog is read each look finds much that is new, and takes what the engine needs for the blocks themselves.
    A service that rests must not be taken for one that has fallen silent.
    """
    longest = min(max(_LONGEST_REST_SECONDS, tick_seconds), max(0.0, STALE_SECONDS - _MARGIN_SECONDS - took_seconds))
    return max(tick_seconds - took_seconds, min(_RESTS * took_seconds, longest))


async def serve(settings: Settings, parts: Parts, stop: asyncio.Event) -> None:
    """Stand by, decide, stand by again, until ``stop`` is set."""
    running = asyncio.create_task(_serve(settings, parts))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (running, stopping):
        task.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
    try:
        await running
    except asyncio.CancelledError:
        _log.info("ended")


async def _serve(settings: Settings, parts: Parts) -> None:
    while True:
        owner = uuid.uuid4().hex
        store = await parts.open_store(owner)
        parts.telemetry.deciding(False)
        await until_free(store, settings.alerts.standby_seconds, parts.telemetry)
        try:
            await _decide(settings, parts, store, owner)
        except* FencedError:
            _log.warning("another instance decides, standing by")


async def _decide(settings: Settings, parts: Parts, store: AlertStore, owner: str) -> None:
    telemetry = parts.telemetry

    def trouble(why: str) -> None:
        telemetry.trouble("ClickHouse", why)

    epoch = await insistently(store.claim, trouble)
    before = await insistently(store.lease, trouble)
    if before is not None:
        parts.looks.go_on_from(before.body.get("feeds", {}))
    desk = Desk(store, epoch, await insistently(store.load, trouble), trouble=trouble)
    telemetry.deciding(True)
    _log.info("deciding, epoch %d: %d alerts, %d messages wait", epoch, len(desk.records), len(desk.messages))
    evaluator = Evaluator(
        desk,
        conduct_of(settings, await insistently(store.installation, trouble)),
        addressing_of(settings),
        repeat_seconds=settings.alerts.repeat_minutes * 60,
        told=telemetry,
        now=moment,
    )
    turns = _Turns(parts.looks, evaluator, desk, telemetry)
    signs = SignsOfLife(await parts.open_store(owner), desk, settings.alerts.standby_seconds, turns.describe)
    waiting_actions = await parts.open_store(owner)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(signs.run(), name="signs")
            tasks.create_task(turns.run(settings.alerts.tick_seconds), name="turns")
            tasks.create_task(_apply_for_ever(waiting_actions, evaluator, trouble), name="actions")
            tasks.create_task(publish_for_ever(desk, parts.publisher, telemetry), name="publishing")
            for sender in parts.senders:
                tasks.create_task(sender(desk))
    except asyncio.CancelledError:
        await signs.farewell()
        raise


class _Turns:
    """Looks at the campaigns again and again."""

    def __init__(self, looks: Looks, evaluator: Evaluator, desk: Desk, telemetry: AlertTelemetry) -> None:
        self._looks = looks
        self._evaluator = evaluator
        self._desk = desk
        self._telemetry = telemetry
        self._seconds = 0.0
        self._turned_ms = 0
        self._garbage = Garbage()

    async def run(self, pause_seconds: float) -> None:
        """Take turns for ever, no two within ``pause_seconds``; FencedError: another instance decides."""
        while True:
            began = time.monotonic()
            records = dict(self._desk.records)
            looks = await insistently(lambda: self._looks.look(records), self._trouble)  # noqa: B023 - awaited at once
            await self._evaluator.turn(looks)
            self._seconds = time.monotonic() - began
            self._turned_ms = moment().wall_ms
            self._telemetry.turned(self._seconds, self._desk)
            self._garbage.collect()
            await asyncio.sleep(rest_seconds(pause_seconds, self._seconds))

    def describe(self) -> dict[str, Any]:
        """Return what `roi status` tells of the deciding instance."""
        as_of_ms = max((record.as_of_ms for record in self._desk.records.values()), default=None)
        return {
            "as_of": None if as_of_ms is None else instant_text(as_of_ms),
            "campaigns": len(self._desk.records),
            "turn_seconds": round(self._seconds, 3),
            "turn_age_seconds": round(self._telemetry.turn_age, 1),
            "turned_at": instant_text(self._turned_ms) if self._turned_ms else None,
            "reasons": self._telemetry.reasons(),
            "feeds": self._looks.noted,
        }

    def _trouble(self, why: str) -> None:
        self._telemetry.trouble("looks", why)


async def _apply_for_ever(store: AlertStore, evaluator: Evaluator, trouble: Callable[[str], None]) -> None:
    """Apply actions as they come in; FencedError: another instance decides."""
    while True:
        began = time.monotonic()
        waiting = await insistently(store.actions, trouble)
        took = time.monotonic() - began
        await evaluator.apply(waiting)
        await asyncio.sleep(min(max(_ACTION_SECONDS, _ACTION_RESTS * took), _LONGEST_ACTION_SECONDS))
