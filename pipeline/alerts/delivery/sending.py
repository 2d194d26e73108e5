"""Brings what waits on the desk to its receivers. Each has a task of its own: one that hangs delays nobody else.

A message is sent, then its notices are marked in one write under the fence. A crash in between sends it again under the
same id; an instance that no longer decides learns so before it sends, and cannot mark.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from pipeline.alerts.delivery.outcomes import Outcome
from pipeline.alerts.delivery.planning import PAUSES, is_test, is_untimely, plan, settled
from pipeline.alerts.silences import silenced_by
from pipeline.error_words import places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pipeline.alerts.delivery.outcomes import Channel
    from pipeline.alerts.delivery.planning import Policy, Standing
    from pipeline.alerts.desk import Desk
    from pipeline.alerts.log import Notification

_LONGEST_WAIT_SECONDS: Final = 30.0  # the wall clock may be set meanwhile
_MARK_SECONDS: Final = 0.5
_MOST_UNMARKED: Final = 100
_log = logging.getLogger(__name__)


class SendingTold(Protocol):
    """Who counts attempts."""

    def notified(self, outcome: str, count: int = 1) -> None:
        """Count attempts to tell a receiver: sent, failed (tried again), dead, suppressed."""


class Sending:
    """Sends for as long as an instance decides; `run` is a sender of `pipeline.alerts.service`.

    Args:
        channels: by the receiver's name.
        policies: likewise.
        told: counts.
        now_ms: wall clock.
        chance: 0 to 1, for the waits between attempts.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        policies: Mapping[str, Policy],
        told: SendingTold,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._channels = channels
        self._policies = policies
        self._told = told
        self._now_ms = now_ms
        self._chance = chance

    async def run(self, desk: Desk) -> None:
        """Send whatever waits on the desk; FencedError: another instance decides."""
        last_sent = await desk.last_sent()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._give_up_unknown(desk), name="unknown receivers")
            for name in self._channels:
                tasks.create_task(self._serve(desk, name, last_sent.get(name)), name=f"receiver {name}")

    async def _give_up_unknown(self, desk: Desk) -> None:
        """What waits for a receiver that the settings no longer hold is dead, with the reason."""
        news = desk.listener()
        while True:
            await news.wait()
            news.clear()
            lost = [one for one in desk.notifications.values() if one.receiver not in self._channels]
            if lost:
                dead = [replace(one, state="dead", last_error=_unknown(one.receiver)) for one in lost]
                await self._write(desk, dead)

    async def _serve(self, desk: Desk, name: str, last_sent_ms: int | None) -> None:
        news, policy, failures, paused_until = desk.listener(), self._policies[name], 0, 0.0
        while True:
            news.clear()
            waiting = [one for one in desk.notifications.values() if one.receiver == name]
            now_ms = self._now_ms()
            todo = plan(waiting, policy, now_ms=now_ms, last_sent_ms=last_sent_ms, standing=_standing(desk, now_ms))
            if todo.suppressed:
                await self._write(desk, todo.suppressed)
            if not todo.now:
                await _either(news, todo.wait_seconds)
                continue
            if (pause := paused_until - time.monotonic()) > 0 and not is_test(todo.now[0]):
                await _either(news, pause)
                continue
            sent, fault = await self._send(desk, name, todo.now)
            if sent and not is_test(todo.now[0]):
                last_sent_ms = self._now_ms()
            failures = failures + 1 if fault else 0
            if fault:
                _log.warning("receiver %s was not told (%s)", name, fault)
                paused_until = time.monotonic() + PAUSES.delay(failures)

    async def _send(self, desk: Desk, name: str, notices: Sequence[Notification]) -> tuple[bool, str]:
        """Send, mark, and return whether anything was sent, and why the rest was not ('' = all is settled)."""
        channel = self._channels[name]
        letters = deque([notices] if channel.is_grouped else [[notice] for notice in notices])
        marks: list[Notification] = []
        unmade: set[str] = set()
        marked, is_sent, fault = time.monotonic(), False, ""
        while letters:
            letter = [notice for notice in letters.popleft() if notice.alert_id not in unmade]
            if not letter:
                continue
            await desk.confirm()
            if self._is_untimely(desk, name, letter):
                break
            outcome = await _delivered(channel, letter)
            if outcome.result == "unmade":
                if len(letter) > 1:  # halves, not one by one: a few texts to a phone, however many the others are
                    middle = len(letter) // 2
                    letters.extendleft((letter[middle:], letter[:middle]))
                    continue
                unmade.add(letter[0].alert_id)  # of one alert nothing may overtake what failed
            is_sent = is_sent or outcome.result == "sent"
            marks += self._settled(name, letter, outcome)
            fault = outcome.error if outcome.result == "failed" else ""
            if fault:
                break  # likewise
            if len(marks) >= _MOST_UNMARKED or time.monotonic() - marked > _MARK_SECONDS:
                await self._write(desk, marks)
                marks, marked = [], time.monotonic()
        if marks:
            await self._write(desk, marks)
        return is_sent, fault

    def _is_untimely(self, desk: Desk, name: str, letter: Sequence[Notification]) -> bool:
        now_ms = self._now_ms()
        return is_untimely(letter, self._policies[name], now_ms=now_ms, standing=_standing(desk, now_ms))

    def _settled(self, name: str, letter: Iterable[Notification], outcome: Outcome) -> list[Notification]:
        policy, now_ms, chance = self._policies[name], self._now_ms(), self._chance()
        return [settled(notice, outcome, policy, now_ms=now_ms, chance=chance) for notice in letter]

    async def _write(self, desk: Desk, notices: Sequence[Notification]) -> None:
        now_ms = self._now_ms()
        await desk.write([notice.row(now_ms) for notice in notices])
        for notice in notices:
            self._told.notified("failed" if notice.state == "waiting" else notice.state)


async def _delivered(channel: Channel, letter: Sequence[Notification]) -> Outcome:
    """Deliver; what no channel should raise is a fault of this letter, and neither the evaluator's end nor silent."""
    try:
        return await channel.deliver(letter)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others must be told
        if len(letter) == 1:
            # without its text, which may hold an address
            _log.error("notice %s could not be made into a message: %s", letter[0].notification_id, places(error))
        return Outcome("unmade", f"it could not be made into a message ({type(error).__name__})")


def _standing(desk: Desk, now_ms: int) -> Callable[[Notification], Standing]:
    def standing(notice: Notification) -> Standing:
        record = desk.alerts.get(notice.alert_id)
        if record is None:
            return "told"
        if silenced_by(record, desk.silences.values(), now_ms) is not None:
            return "silenced"
        return "told" if record.state == "firing" else "answered"

    return standing


def _unknown(name: str) -> str:
    return f"there is no receiver {name!r} in the settings"


async def _either(news: asyncio.Event, seconds: float | None) -> None:
    """Wait for news, or for so many seconds."""
    try:
        async with asyncio.timeout(None if seconds is None else min(seconds, _LONGEST_WAIT_SECONDS)):
            await news.wait()
    except TimeoutError:
        return
