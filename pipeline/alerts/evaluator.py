"""One turn of the deciding instance: look at the campaigns, step their alerts, make the changes durable.

A turn is a function of the looks and of what is on the desk. What it changes is written in pieces of some hundred
campaigns, each one INSERT; only when a piece is durable do its alerts count as changed. A crash anywhere leaves every
alert as it was before a change or as it is after it, with all that belongs to it.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from pipeline.alerts.applying import Applying
from pipeline.alerts.isolating import Unjudged
from pipeline.alerts.lifecycle import step
from pipeline.alerts.log import record_row, reminder_rows, rows_of
from pipeline.alerts.silences import silenced_by
from pipeline.alerts.telling import is_reminder_due, reminded, with_telling, with_told_since
from schemas.alerts import OPEN_STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.alerts.actions import Action
    from pipeline.alerts.desk import Desk
    from pipeline.alerts.lifecycle import Change, Conduct
    from pipeline.alerts.log import Addressing, LogRow
    from pipeline.alerts.record import AlertRecord, Evidence, Look, Moment
    from pipeline.alerts.verdict import Verdict

PIECE: Final = 250
_OPEN_REFRESH_SECONDS: Final = 2.0
_REFRESH_SECONDS: Final = 10.0
_MOST_REFRESHED: Final = 300  # a turn; ten thousand campaigns are shown as they were half a minute ago at most
_log = logging.getLogger(__name__)


class Looks(Protocol):
    """Where looks at campaigns come from. Calls block and come from one thread at a time."""

    @property
    def noted(self) -> dict[str, Any]:
        """What an instance that takes over has to know of the feeds, as JSON values; any thread may read it."""

    def go_on_from(self, noted: Mapping[str, Any]) -> None:
        """Go on from what the instance that decided before has `noted`, before the first look."""

    def look(self, records: Mapping[str, AlertRecord]) -> Sequence[Look]:
        """Return a look at every campaign as of now, as far as the facts have got.

        Args:
            records: the current alerts by campaign; since when it has been so goes on from them.
        """


class Told(Protocol):
    """Who counts what happens."""

    def changed(self, change: Change) -> None:
        """Count an entry in an alert's history."""

    def acted(self, outcome: str, count: int) -> None:
        """Count actions that were applied or refused."""


class _Shown(NamedTuple):
    """What of an alert was written last, and when by this process's clock."""

    verdict: Verdict
    evidence: Evidence
    smallest_p_value: float
    smallest_p_value_ratio: float
    at: float

    @classmethod
    def of(cls, record: AlertRecord, seconds: float) -> _Shown:
        p_value, ratio = record.smallest_p_value, record.smallest_p_value_ratio
        return cls(record.verdict, record.evidence, p_value, ratio, seconds)

    def is_of(self, record: AlertRecord) -> bool:
        return self == _Shown.of(record, self.at)


class _Step(NamedTuple):
    """What becomes of an alert by a look; ``rows`` are to be written, ``is_other``: it is to be remembered."""

    record: AlertRecord
    change: Change | None
    rows: list[LogRow]
    is_other: bool


class Evaluator:
    """Takes turns at one desk.

    Args:
        desk: of this epoch.
        conduct: of the lifecycle.
        addressing: whom to tell.
        repeat_seconds: after how long a firing alert is told again.
        told: counts.
        now: both clocks.
    """

    def __init__(  # noqa: PLR0913 - what it works on and how
        self,
        desk: Desk,
        conduct: Conduct,
        addressing: Addressing,
        *,
        repeat_seconds: float,
        told: Told,
        now: Callable[[], Moment],
    ) -> None:
        self._desk = desk
        self._conduct = conduct
        self._addressing = addressing
        self._repeat_seconds = repeat_seconds
        self._told = told
        self._now = now
        self._shown: dict[str, _Shown] = {}
        self._unjudged = Unjudged("en")
        self._done: set[str] = set()

    async def turn(self, looks: Sequence[Look]) -> None:
        """Step every alert by its look.

        Raises:
            FencedError: another instance decides.
        """
        budget = _MOST_REFRESHED
        for begin in range(0, len(looks), PIECE):
            async with self._desk.turn:
                budget -= await self._step_piece(looks[begin : begin + PIECE], budget)
        await self._end_silences()

    async def _step_piece(self, looks: Sequence[Look], budget: int) -> int:
        now = self._now()
        steps: list[_Step] = []
        shown = 0
        for look in looks:
            name = look.campaign.campaign_id
            found = self._unjudged.alone(name, partial(self._step, look, now, refreshes=shown < budget), None)
            if found is not None:  # else its alert stays as it was: it must not hold up the others
                steps.append(found)
                shown += bool(found.rows)
        rows = [row for one in steps for row in one.rows]
        if rows:
            await self._desk.write(rows)
        self._desk.enter([one.record for one in steps if one.is_other])
        for one in steps:
            if one.rows:
                self._shown[one.record.campaign_id] = _Shown.of(one.record, now.seconds)
            if one.change is not None:
                self._told.changed(one.change)
        return shown

    def _step(self, look: Look, now: Moment, *, refreshes: bool) -> _Step:
        before = self._desk.records.get(look.campaign.campaign_id)
        known = None if before is None else with_told_since(before, self._repeat_seconds, now)
        record, change = step(known, look, now, self._conduct)
        rows: list[LogRow] = []
        if change is not None:
            record, rows = self._entered(change, now)
        elif reminder := self._reminder(record, now):
            record, rows = reminder
        elif self._is_stale(before or record, record, now) and refreshes:
            rows = [record_row(record, self._addressing.board_url)]
        return _Step(record, change, rows, is_other=record is not known)

    def _entered(self, change: Change, now: Moment) -> tuple[AlertRecord, list[LogRow]]:
        silence = silenced_by(change.record, self._desk.silences.values(), now.wall_ms)
        told = with_telling(change, self._addressing, silence, now)
        return told.record, rows_of(told, self._addressing, silence)

    def _reminder(self, record: AlertRecord, now: Moment) -> tuple[AlertRecord, list[LogRow]] | None:
        if not is_reminder_due(record, self._repeat_seconds, now) or not self._addressing.receivers_of(record):
            return None
        if silenced_by(record, self._desk.silences.values(), now.wall_ms) is not None:
            return None
        again = reminded(record, now)
        return again, reminder_rows(again, self._addressing, now.wall_ms)

    def _is_stale(self, before: AlertRecord, record: AlertRecord, now: Moment) -> bool:
        """Tell whether what is shown of an alert is older than what is known; ``before``: this look."""
        shown = self._shown.get(record.campaign_id)
        if shown is None:  # it was loaded: shown is what was written of it, not what this look has found
            self._shown[record.campaign_id] = _Shown.of(before, now.seconds)
            return False
        seconds = _OPEN_REFRESH_SECONDS if record.state in OPEN_STATES else _REFRESH_SECONDS
        return now.seconds - shown.at >= seconds and not shown.is_of(record)

    async def _end_silences(self) -> None:
        async with self._desk.turn:
            wall_ms = self._now().wall_ms
            over = [silence for silence in self._desk.silences.values() if silence.until_ms <= wall_ms]
            if over:
                await self._desk.write([silence.ended(None).row(wall_ms) for silence in over])

    async def apply(self, actions: Sequence[Action]) -> None:
        """Apply what people asked for; what was applied before is not applied again.

        Raises:
            FencedError: another instance decides.
        """
        async with self._desk.turn:
            first: dict[str, Action] = {}
            for action in actions:  # one that was sent twice at once stands there twice
                first.setdefault(action.action_id, action)
            fresh = [action for name, action in first.items() if name not in self._done]
            if not fresh:
                return
            retries = any(action.action == "retry" for action in fresh)
            dead = await self._desk.dead_notifications() if retries else []
            applying = Applying(
                alerts=self._desk.alerts,
                silences=self._desk.silences,
                dead={one.notification_id: one for one in dead},
                waiting=self._desk.notifications.values(),
                conduct=self._conduct,
                addressing=self._addressing,
                now=self._now(),
            )
            await self._desk.write(applying.rows(fresh))
            self._done.update(action.action_id for action in fresh)
            for record in applying.changed.values():
                self._enter(record)
            for outcome, count in applying.outcomes.items():
                self._told.acted(outcome, count)

    def _enter(self, record: AlertRecord) -> None:
        current = self._desk.records.get(record.campaign_id)
        if current is None or current.alert_id == record.alert_id:
            self._desk.enter([record])
        else:
            self._desk.alerts[record.alert_id] = record
