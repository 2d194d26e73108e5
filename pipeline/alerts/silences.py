"""Silences: for a while nobody is told of a campaign's alerts, or of an owner's, but of their recovery. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from pipeline.alerts.actions import Action, Refusal
from pipeline.alerts.log import LogRow
from pipeline.alerts.record import name_of
from schemas.instants import instant_text, parse_instant, to_epoch_milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.alerts.record import AlertRecord


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence, of a campaign or of everything that an owner has; ``until_ms`` is wall clock."""

    silence_id: str
    campaign_id: str | None
    owner: str | None
    until_ms: int
    by: str
    reason: str
    at_ms: int
    is_ended: bool = False
    ended_by: str | None = None

    def holds_for(self, record: AlertRecord, wall_ms: int) -> bool:
        """Tell whether an alert is silenced at an instant."""
        if self.is_ended or self.until_ms <= wall_ms:
            return False
        if self.campaign_id is not None:
            return self.campaign_id == record.campaign_id
        return self.owner is not None and self.owner == record.campaign.owner

    def row(self, at_ms: int | None = None) -> LogRow:
        """Return it as a row of the log, changed at an instant (None = when it was made)."""
        body: dict[str, Any] = asdict(self) | {"until": instant_text(self.until_ms)}
        for name in ("silence_id", "is_ended", "until_ms"):
            del body[name]
        return LogRow(
            "silence",
            self.silence_id,
            "",
            self.campaign_id or "",
            "ended" if self.is_ended else "active",
            self.at_ms if at_ms is None else at_ms,
            msgspec.json.encode(body).decode(),
        )

    @classmethod
    def of(cls, row: LogRow) -> Silence:
        """Read a row of the log."""
        body: dict[str, Any] = msgspec.json.decode(row.body)
        until_ms = _until_ms(body.pop("until"))
        return cls(silence_id=row.id, until_ms=until_ms, is_ended=row.state == "ended", **body)

    def ended(self, by: str | None) -> Silence:
        """Return it as ended, by somebody or (None) by its time."""
        return replace(self, is_ended=True, ended_by=by)


def silence_of(action: Action, wall_ms: int) -> Silence | Refusal:
    """Return the silence that an action asks for, or why there is none."""
    body = action.body
    campaign_id, owner = body.get("campaign_id") or None, body.get("owner") or None
    if (campaign_id is None) == (owner is None):
        return Refusal("a silence names either a campaign or an owner")
    reason = str(body.get("reason") or "").strip()
    if not reason:
        return Refusal("a silence needs a reason")
    try:
        until_ms = _until_ms(body.get("until"))
    except (TypeError, ValueError):
        return Refusal("a silence ends at an instant: until = RFC 3339 with an offset")
    if until_ms <= wall_ms:
        return Refusal(f"the silence would have ended already, at {instant_text(until_ms)}")
    return Silence(name_of("sil", action.action_id), campaign_id, owner, until_ms, action.by, reason, wall_ms)


def silenced_by(record: AlertRecord, silences: Iterable[Silence], wall_ms: int) -> str | None:
    """Return the id of a silence that holds for an alert; None = there is none."""
    return next((silence.silence_id for silence in silences if silence.holds_for(record, wall_ms)), None)


def _until_ms(text: Any) -> int:
    return to_epoch_milliseconds(parse_instant(text))
