"""Prometheus metrics of `roi alerts run`, and what its /healthz says. Every series is there from the start."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.alerts import STATES
from schemas.topics import ALERTS, STOPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipeline.alerts.desk import Desk
    from pipeline.alerts.lifecycle import Change
    from pipeline.alerts.log import Message
    from pipeline.alerts.record import AlertRecord

STALE_SECONDS: Final = 30.0
"""A deciding instance whose newest turn is older than this does not do its work."""
NOTIFICATION_OUTCOMES: Final = ("sent", "failed", "dead", "suppressed")
_TURN_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class AlertTelemetry:
    """Counts what an instance of the evaluator does, in a registry of its own.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._began = clock()
        self._faults: dict[str, str] = {}
        self._turn: float | None = None
        self._watched: float | None = None
        self.role = "starting"
        self._define_alerts()
        self._define_sending()

    def _define_alerts(self) -> None:
        self._leading = Gauge("roi_alerts_deciding", "1 while this instance decides", registry=self.registry)
        self._alerts = Gauge("roi_alerts", "Current alerts by state", ("state",), registry=self.registry)
        self._changes = Counter(
            "roi_alert_changes", "Changes of alerts by the state after them", ("state",), registry=self.registry
        )
        self._actions = Counter("roi_alert_actions", "Actions by outcome", ("outcome",), registry=self.registry)
        self._turns = Histogram(
            "roi_alert_turn_seconds",
            "Time of one look at all campaigns, its changes made durable",
            buckets=_TURN_SECONDS,
            registry=self.registry,
        )
        self._as_of = Gauge(
            "roi_alerts_as_of_timestamp_seconds",
            "Event time that the newest look went up to, 0 = none",
            registry=self.registry,
        )
        age = Gauge("roi_alerts_turn_age_seconds", "Seconds since the last turn or start", registry=self.registry)
        age.set_function(lambda: self.turn_age)
        for state in STATES:
            self._alerts.labels(state)
            self._changes.labels(state)
        for outcome in ("applied", "refused"):
            self._actions.labels(outcome)

    def _define_sending(self) -> None:
        self._messages = Counter("roi_alert_messages", "Messages stored in Kafka", ("topic",), registry=self.registry)
        self._kafka_faults = Counter(
            "roi_alert_message_failures", "Attempts to publish after which messages waited on", registry=self.registry
        )
        self._notifications = Counter(
            "roi_alert_notifications", "Attempts to tell a receiver by outcome", ("outcome",), registry=self.registry
        )
        self._waiting = Gauge(
            "roi_alerts_waiting", "Messages and notifications that wait to be sent", ("kind",), registry=self.registry
        )
        for topic in (ALERTS, STOPS):
            self._messages.labels(topic)
        for outcome in NOTIFICATION_OUTCOMES:
            self._notifications.labels(outcome)
        for kind in ("message", "notification"):
            self._waiting.labels(kind)

    @property
    def turn_age(self) -> float:
        """Seconds since the last turn, or since the start."""
        return self._clock() - (self._began if self._turn is None else self._turn)

    def deciding(self, is_deciding: bool) -> None:  # noqa: FBT001 - the one thing that it says
        """Note whether this instance decides."""
        self.role = "deciding" if is_deciding else "standing by"
        self._leading.set(int(is_deciding))
        self._began = self._clock()
        self._turn = None
        if not is_deciding:
            self._show(())
            for kind in ("message", "notification"):
                self._waiting.labels(kind).set(0)

    def watched(self) -> None:
        """Note that this instance stands by and sees who decides."""
        self._watched = self._clock()

    def turned(self, seconds: float, desk: Desk) -> None:
        """Note a turn and what is on the desk after it."""
        self._turn = self._clock()
        self._turns.observe(seconds)
        self._show(desk.records.values())
        as_of_ms = max((record.as_of_ms for record in desk.records.values()), default=0)
        self._as_of.set(as_of_ms / 1000)
        self._waiting.labels("message").set(len(desk.messages))
        self._waiting.labels("notification").set(len(desk.notifications))

    def _show(self, records: Iterable[AlertRecord]) -> None:
        counts = dict.fromkeys(STATES, 0)
        for record in records:
            counts[record.state] += 1
        for state, count in counts.items():
            self._alerts.labels(state).set(count)

    def changed(self, change: Change) -> None:
        """Count an entry in an alert's history."""
        self._changes.labels(change.record.state).inc()

    def acted(self, outcome: str, count: int) -> None:
        """Count actions that were applied or refused."""
        self._actions.labels(outcome).inc(count)

    def published(self, messages: Sequence[Message], fault: str) -> None:
        """Count messages that are in Kafka, and note why others are not ('' = all are)."""
        for message in messages:
            self._messages.labels(message.topic).inc()
        if fault:
            self._kafka_faults.inc()
        self.trouble("Kafka", f"messages wait ({fault})" if fault else "")

    def notified(self, outcome: str, count: int = 1) -> None:
        """Count attempts to tell a receiver: sent, failed (tried again), dead, suppressed."""
        self._notifications.labels(outcome).inc(count)

    def trouble(self, part: str, reason: str) -> None:
        """Note why something that is needed does not work; '' takes it back."""
        others = {name: why for name, why in self._faults.items() if name != part}
        self._faults = others | ({part: reason} if reason else {})

    def reasons(self) -> list[str]:
        """Return what is wrong; nothing = the instance does its work, or stands by for it."""
        found = [f"{part}: {reason}" for part, reason in sorted(self._faults.items())]
        if self.role == "deciding" and self.turn_age > STALE_SECONDS:
            found.append(f"no look at the campaigns for {self.turn_age:.0f} s")
        if self.role == "standing by" and self._clock() - (self._watched or self._began) > STALE_SECONDS:
            found.append("nobody could be asked who decides")
        return found

    def report(self) -> dict[str, Any]:
        """Return the answer of `/healthz`; its ``status`` is ``ok``, ``starting`` or ``failing``."""
        reasons = self.reasons()
        is_starting = self.role == "starting" or (self.role == "deciding" and self._turn is None)
        return {
            "status": "failing" if reasons else "starting" if is_starting else "ok",
            "role": self.role,
            "seconds_since_last_turn": round(self.turn_age, 3),
            "reasons": reasons,
        }
