"""Rows of table alert_log, and what of an alert's change they hold: the entry, its messages, its notifications. Pure.

Ids are made of (alert, number of the change, receiver): a step that is done again cannot make a second one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from pipeline.alerts.record import alert_data, name_of
from pipeline.alerts.sayings import LANGUAGES, in_language
from schemas.alerts import OPEN_STATES, AlertMessage, StopData, StopMessage, TestMessage
from schemas.instants import instant_text
from schemas.topics import ALERTS, STOPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.alerts.lifecycle import Change
    from pipeline.alerts.record import AlertRecord

Kind = Literal["alert", "change", "message", "notification", "silence", "action"]
NotificationState = Literal["waiting", "sent", "suppressed", "dead"]
WAITING: Final = "waiting"
SENT: Final = "sent"


class LogRow(NamedTuple):
    """A row of alert_log without its version; ``at_ms`` is wall clock, ``body`` JSON."""

    kind: Kind
    id: str
    alert_id: str
    campaign_id: str
    state: str
    at_ms: int
    body: str


@dataclass(frozen=True, slots=True)
class Message:
    """A record for Kafka: key and payload as text; its id is the header ``webhook-id`` for ever."""

    message_id: str
    alert_id: str
    campaign_id: str
    at_ms: int
    topic: str
    payload: str
    number: int

    def row(self, state: Literal["waiting", "sent"]) -> LogRow:
        """Return it as a row of the log."""
        body = {"topic": self.topic, "key": self.campaign_id, "payload": self.payload, "number": self.number}
        return LogRow("message", self.message_id, self.alert_id, self.campaign_id, state, self.at_ms, _json(body))

    @classmethod
    def of(cls, row: LogRow) -> Message:
        """Read a row of the log."""
        body = msgspec.json.decode(row.body)
        return cls(
            row.id, row.alert_id, row.campaign_id, row.at_ms, body["topic"], body["payload"], body.get("number", 0)
        )


@dataclass(frozen=True, slots=True)
class Notification:
    """Something that one receiver is told, or was, or was not.

    Attributes:
        notification_id: the same for ever.
        receiver: a name of settings ``receivers``.
        message_id: what a webhook names it by (header ``webhook-id``), the same as in Kafka.
        message_type: ``alert.firing``, ``test`` …
        payload: the message as JSON, in the shape of Standard Webhooks.
        state: ``waiting`` to be sent; ``sent``; ``suppressed`` by a silence; ``dead``: given up, may be retried.
        created_ms: wall clock.
        is_reminder: whether it repeats what was told before.
        attempts: how often sending was tried.
        next_attempt_ms: wall clock before which it is not tried again; 0 = at once.
        sent_ms: wall clock of success.
        last_error: of the newest attempt, without secrets; why it was suppressed.
        number: of the alert's change that it tells of; 0 in rows of older releases.
    """

    notification_id: str
    alert_id: str
    campaign_id: str
    receiver: str
    message_id: str
    message_type: str
    payload: str
    created_ms: int
    state: NotificationState = "waiting"
    is_reminder: bool = False
    attempts: int = 0
    next_attempt_ms: int = 0
    sent_ms: int | None = None
    last_error: str = ""
    number: int = 0

    @property
    def order(self) -> tuple[int, int, bool]:
        """Its place among those of its alert: a request to stop follows the decision, which is of the same instant."""
        return self.created_ms, self.number, self.message_type == "campaign.stop"

    def row(self, at_ms: int | None = None) -> LogRow:
        """Return it as a row of the log, changed at an instant (None = when it was created)."""
        body = asdict(self)
        for name in ("notification_id", "alert_id", "campaign_id", "state"):
            del body[name]
        body["sent_at"] = None if self.sent_ms is None else instant_text(self.sent_ms)
        changed_ms = self.created_ms if at_ms is None else at_ms
        return LogRow(
            "notification", self.notification_id, self.alert_id, self.campaign_id, self.state, changed_ms, _json(body)
        )

    @classmethod
    def of(cls, row: LogRow) -> Notification:
        """Read a row of the log."""
        body: dict[str, Any] = msgspec.json.decode(row.body)
        del body["sent_at"]
        state: NotificationState = row.state  # type: ignore[assignment] # rows of this kind have no other
        return cls(notification_id=row.id, alert_id=row.alert_id, campaign_id=row.campaign_id, state=state, **body)


@dataclass(frozen=True, slots=True)
class Addressing:
    """Who is told.

    Attributes:
        board_url: for links.
        by_default: where a definition names nobody.
        known: the receivers that settings hold.
        systems: those among them that act on messages (webhooks): they get requests to stop, too.
    """

    board_url: str
    by_default: tuple[str, ...] = ()
    known: frozenset[str] = field(default_factory=frozenset)
    systems: frozenset[str] = field(default_factory=frozenset)

    def receivers_of(self, record: AlertRecord) -> tuple[str, ...]:
        """Return the names of an alert's receivers, each once."""
        named = record.campaign.receivers
        return tuple(dict.fromkeys(self.by_default if named is None else named))


def rows_of(change: Change, addressing: Addressing, silence: str | None) -> list[LogRow]:
    """Return everything that a change makes durable: to be written in one INSERT.

    Args:
        change: an entry of an alert's history.
        addressing: whom to tell.
        silence: the id of the silence that holds for the alert; its notifications are suppressed, its recovery is not.
    """
    record = change.record
    rows = [record_row(record, addressing.board_url), _entry_row(change, addressing.board_url)]
    receivers = addressing.receivers_of(record)
    suppressed = "" if silence is None or record.state == "resolved" else f"silenced ({silence})"
    if change.is_message:
        message = _alert_message(record, addressing.board_url, name_of("msg", record.alert_id, change.number))
        rows.append(message.row("waiting"))
        if _is_told(change):
            rows += notifications(message, receivers, addressing.known, suppressed=suppressed)
    if change.stop_reason is not None:
        request = _stop_message(change)
        systems = [name for name in receivers if name in addressing.systems]
        rows += [request.row("waiting"), *notifications(request, systems, addressing.known, suppressed=suppressed)]
    return rows


def record_row(record: AlertRecord, board_url: str) -> LogRow:
    """Return an alert's own row."""
    return LogRow(
        "alert",
        record.alert_id,
        record.alert_id,
        record.campaign_id,
        record.state,
        record.entered_ms,
        record.body(board_url),
    )


def reminder_rows(record: AlertRecord, addressing: Addressing, at_ms: int) -> list[LogRow]:
    """Return what tells a firing alert again: its row, whose `told` numbers the reminder, and the notifications."""
    message = _alert_message(
        record, addressing.board_url, name_of("msg", record.alert_id, record.changes, "again", record.told), at_ms
    )
    told = notifications(message, addressing.receivers_of(record), addressing.known, is_reminder=True)
    return [record_row(record, addressing.board_url), *told]


def notifications(
    message: Message,
    receivers: Iterable[str],
    known: frozenset[str],
    *,
    suppressed: str = "",
    is_reminder: bool = False,
) -> list[LogRow]:
    """Return a notification of the message for each receiver; one for a receiver that nobody knows is dead at once."""
    kind = msgspec.json.decode(message.payload)["type"]
    rows = []
    for name in receivers:
        state: NotificationState = "suppressed" if suppressed else "waiting" if name in known else "dead"
        unknown = "" if name in known else f"there is no receiver {name!r} in the settings"
        notification = Notification(
            notification_id=name_of("ntf", message.message_id, name),
            alert_id=message.alert_id,
            campaign_id=message.campaign_id,
            receiver=name,
            message_id=message.message_id,
            message_type=kind,
            payload=message.payload,
            created_ms=message.at_ms,
            state=state,
            is_reminder=is_reminder,
            last_error=suppressed or unknown,
            number=message.number,
        )
        rows.append(notification.row())
    return rows


def test_message(action_id: str, by: str, at_ms: int) -> Message:
    """Return the message of `roi alerts test`; it goes to receivers alone."""
    text = {"text": "a test: alerts of this installation reach you here", "by": by}
    payload = TestMessage(type="test", timestamp=instant_text(at_ms), data=text).model_dump_json()
    return Message(name_of("msg", action_id, "test"), "", "", at_ms, "", payload, 0)


test_message.__test__ = False  # type: ignore[attr-defined] # pytest collects by the name


def _is_told(change: Change) -> bool:
    """Tell whether receivers hear of a change: what asks somebody to act, and what says that it is settled."""
    record = change.record
    if change.event in {"blocked", "unblocked"}:
        return record.state in OPEN_STATES or record.state_before in OPEN_STATES
    return record.state in {"firing", "decided", "resolved"}


def _entry_row(change: Change, board_url: str) -> LogRow:
    record = change.record
    body = {
        "number": change.number,
        "previous_state": change.previous_state,
        "event": change.event,
        "by": change.by,
        "note": str(change.note),
        "note_by_language": {one: in_language(change.note, one) for one in LANGUAGES},
        "record": record.data(board_url),
    }
    return LogRow(
        "change",
        name_of("chg", record.alert_id, change.number),
        record.alert_id,
        record.campaign_id,
        record.state,
        record.entered_ms,
        _json(body),
    )


def _alert_message(record: AlertRecord, board_url: str, message_id: str, at_ms: int | None = None) -> Message:
    when_ms = record.changed_ms if at_ms is None else at_ms
    payload = AlertMessage(
        type=f"alert.{record.state}", timestamp=instant_text(when_ms), data=alert_data(record, board_url)
    ).model_dump_json()
    return Message(message_id, record.alert_id, record.campaign_id, when_ms, ALERTS, payload, record.changes)


def _stop_message(change: Change) -> Message:
    record = change.record
    data = StopData(
        stop_id=record.stop_id or "",
        alert_id=record.alert_id,
        campaign_id=record.campaign_id,
        decided_by=record.decided_by or "",
        approved_by=change.approved_by,
        reason=change.stop_reason or "",
        decided_at=instant_text(record.changed_ms),
    )
    payload = StopMessage(type="campaign.stop", timestamp=data.decided_at, data=data).model_dump_json()
    return Message(
        name_of("msg", record.stop_id),
        record.alert_id,
        record.campaign_id,
        record.changed_ms,
        STOPS,
        payload,
        record.changes,
    )


def _json(body: dict[str, Any]) -> str:
    return msgspec.json.encode(body).decode()
