"""Alerts after looks that follow each other and what people do, for tests of the lifecycle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.alerts.actions import Refusal, act
from pipeline.alerts.lifecycle import Change, Conduct, step
from tests.alerts.building import AT_ONCE, action, look, moment

if TYPE_CHECKING:
    from pipeline.alerts.record import AlertRecord, Look

CONDUCT = Conduct()
FOUR_EYES = Conduct(four_eyes=True)


def played(*looks: Look, conduct: Conduct = CONDUCT, every: float = 10.0) -> tuple[AlertRecord, list[Change]]:
    """Return the alert after looks that follow each other, and its history."""
    record: AlertRecord | None = None
    history = []
    for number, one in enumerate(looks):
        record, change = step(record, one, moment(number * every), conduct)
        history += [change] if change else []
    assert record is not None
    return record, history


def states(history: list[Change]) -> list[str]:
    return [change.record.state for change in history]


def fired(conduct: Conduct = CONDUCT) -> AlertRecord:
    record, _ = played(look("below", rule=AT_ONCE), conduct=conduct)
    assert record.state == "firing"
    return record


def applied(record: AlertRecord, kind: str, by: str = "lin", conduct: Conduct = CONDUCT, **body: Any) -> Change:
    change = act(record, action(kind, by, record.alert_id, **body), moment(99), conduct)
    assert isinstance(change, Change), change
    return change


def refused(record: AlertRecord, kind: str, by: str = "lin", conduct: Conduct = CONDUCT, **body: Any) -> str:
    refusal = act(record, action(kind, by, record.alert_id, **body), moment(99), conduct)
    assert isinstance(refusal, Refusal), refusal
    return refusal.why
