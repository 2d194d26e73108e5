"""Applies what people ask for, in order, each exactly once: its outcome is written with what it changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from pipeline.alerts.actions import Action, Refusal, act
from pipeline.alerts.log import LogRow, Notification, notifications, record_row, rows_of, test_message
from pipeline.alerts.silences import Silence, silence_of, silenced_by
from pipeline.alerts.telling import with_telling

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pipeline.alerts.lifecycle import Conduct
    from pipeline.alerts.log import Addressing
    from pipeline.alerts.record import AlertRecord, Moment

Rows = list[LogRow]


class Applying:
    """One round of actions upon what is known now; the rows it returns belong into one INSERT.

    Args:
        alerts: every alert by id.
        silences: those in force by id.
        dead: notifications that were given up by id.
        waiting: those that nobody has got yet.
        conduct: of the installation.
        addressing: whom to tell.
        now: when, by both clocks.

    Attributes:
        changed: the alerts that are other ones now, by id.
        outcomes: how many actions were ``applied`` and ``refused``.
    """

    def __init__(  # noqa: PLR0913 - what is known, and how things are done here
        self,
        *,
        alerts: Mapping[str, AlertRecord],
        silences: Mapping[str, Silence],
        dead: Mapping[str, Notification],
        waiting: Collection[Notification] = (),
        conduct: Conduct,
        addressing: Addressing,
        now: Moment,
    ) -> None:
        self._alerts = alerts
        self._silences = dict(silences)
        self._dead = dict(dead)
        self._waiting = waiting
        self._conduct = conduct
        self._addressing = addressing
        self._now = now
        self.changed: dict[str, AlertRecord] = {}
        self.outcomes: dict[str, int] = {"applied": 0, "refused": 0}

    def rows(self, actions: Sequence[Action]) -> Rows:
        """Return what the actions make durable, their outcomes included; of one row the newest counts."""
        found: dict[tuple[str, str], LogRow] = {}
        kinds = {"silence": self._silence, "unsilence": self._unsilence, "retry": self._retry, "test": self._test}
        for action in actions:
            answer = kinds.get(action.action, self._act)(action)
            refusal = answer if isinstance(answer, Refusal) else None
            rows = [] if isinstance(answer, Refusal) else answer
            self.outcomes["applied" if refusal is None else "refused"] += 1
            for row in (*rows, self._outcome(action, refusal)):
                found[row.kind, row.id] = row
        return list(found.values())

    def _outcome(self, action: Action, refusal: Refusal | None) -> LogRow:
        record = self._alert(action.alert_id)
        why = "" if refusal is None else refusal.why
        body = {"action": action.action, "by": action.by, "why": why, "asked": action.digest}
        return LogRow(
            "action",
            action.action_id,
            action.alert_id,
            "" if record is None else record.campaign_id,
            "applied" if refusal is None else "refused",
            self._now.wall_ms,
            msgspec.json.encode(body).decode(),
        )

    def _alert(self, alert_id: str) -> AlertRecord | None:
        return self.changed.get(alert_id) or self._alerts.get(alert_id)

    def _act(self, action: Action) -> Rows | Refusal:
        record = self._alert(action.alert_id)
        if record is None:
            return Refusal(f"there is no alert {action.alert_id!r}")
        answer = act(record, action, self._now, self._conduct)
        if isinstance(answer, Refusal):
            return answer
        silence = silenced_by(answer.record, self._silences.values(), self._now.wall_ms)
        change = with_telling(answer, self._addressing, silence, self._now)
        self.changed[change.record.alert_id] = change.record
        return rows_of(change, self._addressing, silence)

    def _silence(self, action: Action) -> Rows | Refusal:
        silence = silence_of(action, self._now.wall_ms)
        if isinstance(silence, Refusal):
            return silence
        self._silences[silence.silence_id] = silence
        return [silence.row(), *self._untold(silence)]

    def _untold(self, silence: Silence) -> Rows:
        """Return the alerts whose telling waits and is dropped by a silence: it is made up for when that ends."""
        waiting = {notice.alert_id for notice in self._waiting if notice.message_type == "alert.firing"}
        rows = []
        for alert_id in sorted(waiting):
            record = self._alert(alert_id)
            if record is None or record.state != "firing" or not silence.holds_for(record, self._now.wall_ms):
                continue
            self.changed[alert_id] = replace(record, told_ms=None, told_since=None)
            rows.append(record_row(self.changed[alert_id], self._addressing.board_url))
        return rows

    def _unsilence(self, action: Action) -> Rows | Refusal:
        silence = self._silences.pop(str(action.body.get("silence_id")), None)
        if silence is None:
            return Refusal("there is no such silence, or it has ended")
        return [silence.ended(action.by).row(self._now.wall_ms)]

    def _retry(self, action: Action) -> Rows | Refusal:
        wanted = action.body.get("notification_id")
        chosen = [one for one in self._dead.values() if wanted in {None, one.notification_id}]
        if not chosen:
            return Refusal("there is no dead notification" + (f" {wanted!r}" if wanted else ""))
        for one in chosen:
            del self._dead[one.notification_id]
        again = (replace(one, state="waiting", attempts=0, next_attempt_ms=0) for one in chosen)
        return [one.row(self._now.wall_ms) for one in again]

    def _test(self, action: Action) -> Rows | Refusal:
        known, wanted = self._addressing.known, action.body.get("receiver")
        if wanted is not None and wanted not in known:
            return Refusal(f"there is no receiver {wanted!r} in the settings")
        if not known:
            return Refusal("the settings hold no receivers")
        message = test_message(action.action_id, action.by, self._now.wall_ms)
        return notifications(message, sorted(known) if wanted is None else [str(wanted)], known)
