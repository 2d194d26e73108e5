"""Alerts as people read them, from the views of ClickHouse with the reader's rights: for commands and API.

Rows are dicts by column. Every function may raise the reader's UserError.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pipeline.alerts.after_decision import DAYS, Around, after_decision
from pipeline.clickhouse import sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.clickhouse.reader import Reader

Row = dict[str, Any]
_INSTANTS: Final = frozenset({"opened_at", "changed_at", "as_of", "sent_at", "until", "at"})
_DECIDED: Final = frozenset({"decided", "approved"})


class AlertViews:
    """What is known of alerts.

    Args:
        reader: of ClickHouse.
        database: where the views are.
    """

    def __init__(self, reader: Reader, database: str) -> None:
        self._reader = reader
        self._database = database

    def plain(self, state: str = "", campaign: str = "", owner: str = "") -> list[Row]:
        """Return the rows of view alerts as they are, those with the most money at risk first; '' = any."""
        return self._alerts(state, campaign, owner, whole=True)

    def alerts(self, state: str = "", campaign: str = "", owner: str = "") -> list[Row]:
        """Return the same without their records, instants in RFC 3339."""
        rows = [_told(row) for row in self._alerts(state, campaign, owner, whole=False)]
        for row in rows:
            del row["record"]
        return rows

    def alert(self, alert_id: str) -> Row | None:
        """Return one alert: columns of view alerts, the record as an object, its history, notifications and actions.

        ``after_decision`` is None where nothing was decided, else that of `pipeline.alerts.after_decision`.
        """
        found = self._rows("alert_shown", {"alert": alert_id})
        if not found:
            return None
        alert = found[0]
        history = self._rows("alert_history", {"alert": alert_id})
        actions = self._rows("alert_actions_shown", {"alert": alert_id})
        return {
            **alert,
            "record": json.loads(alert["record"]),
            "history": history,
            "notifications": self.notifications(alert=alert_id),
            "actions": [action | {"body": json.loads(action["body"])} for action in actions],
            "after_decision": self._after_decision(alert["campaign_id"], history),
        }

    def knows(self, alert_id: str) -> bool:
        """Tell whether there is such an alert."""
        return bool(self._rows("alert_shown", {"alert": alert_id}))

    def notifications(self, **chosen: str) -> list[Row]:
        """Return who was told what, newest first.

        Args:
            chosen: ``state``, ``alert``, ``message`` and ``notification``: an id each; none = any.
        """
        return self._rows(
            "notifications_shown", {"state": "", "alert": "", "message": "", "notification": "", **chosen}
        )

    def silences(self, state: str = "", silence: str = "") -> list[Row]:
        """Return silences by state, the latest to end first; '' = any."""
        return self._rows("silences_shown", {"state": state, "silence": silence})

    def outcome(self, action_id: str) -> Row | None:
        """Return ``state`` (applied, refused), ``why`` and ``asked`` of an action; None = nobody has applied it yet.

        ``asked`` is the digest of the request that was applied or refused, see `pipeline.alerts.actions.digest`.
        """
        return next(iter(self._rows("action_outcome", {"action": action_id})), None)

    def asked(self, action_id: str) -> Row | None:
        """Return ``action``, ``alert_id`` and ``body`` that were handed in under an id; None = nothing was."""
        found = self._rows("alert_action_asked", {"action": action_id})
        return found[0] | {"body": json.loads(found[0]["body"])} if found else None

    def evaluator_lives(self, within_seconds: float) -> bool:
        """Tell whether an evaluator has given a sign of life within so many seconds, and not said that it ends."""
        newest = self._rows("evaluator_age", {})
        return any(row["age_ms"] <= within_seconds * 1000 and not row["has_ended"] for row in newest)

    def _alerts(self, state: str, campaign: str, owner: str, *, whole: bool) -> list[Row]:
        asked = {"state": state, "campaign": campaign, "owner": owner, "whole": int(whole)}
        return self._reader.rows(sql.query("alerts_shown", self._database), asked)

    def _after_decision(self, campaign_id: str, history: Sequence[Row]) -> Row | None:
        decided = next((entry for entry in reversed(history) if entry["event"] in _DECIDED and entry["as_of"]), None)
        if decided is None:
            return None
        instant = int(datetime.fromisoformat(decided["as_of"]).timestamp()) // 60 * 60
        asked = {"campaign": campaign_id, "decided": instant, "days": DAYS}
        (around,) = self._rows("after_decision", asked)
        told = {"by": decided["by"], "decided_at": decided["changed_at"], "decided_as_of": decided["as_of"]}
        return after_decision(decided["decision"], instant, Around(**around)) | told

    def _rows(self, query: str, parameters: Mapping[str, object]) -> list[Row]:
        return [_told(row) for row in self._reader.rows(sql.query(query, self._database), parameters)]


def _told(row: Row) -> Row:
    """Return a row with its instants, which ClickHouse writes in UTC without saying so, in RFC 3339."""
    instants = {name: row[name] for name in _INSTANTS.intersection(row)}
    return row | {name: None if text is None else f"{text.replace(' ', 'T')}Z" for name, text in instants.items()}
