"""Pushes open alerts to an Alertmanager (POST /api/v2/alerts), for its grouping, silences and paging.

The labels are an alert's identity there, so they hold only what does not change. What is open is posted again each
minute; what has ended is posted with its end, and what is not posted any more ends there by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from pipeline.alerts.delivery.sinks import PushFailedError, description
from schemas.instants import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.alerts.delivery.sinks import Seen
    from pipeline.alerts.delivery.texts import Wording
    from pipeline.alerts.record import AlertRecord
    from schemas.alerts import State

ALERT_NAME: Final = "CampaignReturnBelowRequired"
AGAIN_SECONDS: Final = 60.0
_LASTS_MS: Final = 240_000
_PIECE: Final = 500
_MOVED: Final = 300
_TIMEOUT: Final = aiohttp.ClientTimeout(total=15.0, sock_connect=5.0)


@dataclass(frozen=True, slots=True)
class _Posted:
    """What was said of an alert: its identity there, the state, and the record that it was made of."""

    labels: dict[str, str]
    state: State
    record: AlertRecord


class Alertmanager:
    """One Alertmanager.

    Args:
        url: its address, with or without a path.
        board_url: for links.
        wording: of summary and description.
        session: shared.
    """

    name = "Alertmanager"
    again_seconds = AGAIN_SECONDS

    def __init__(self, url: str, board_url: str, wording: Wording, session: aiohttp.ClientSession) -> None:
        self._url = f"{url.rstrip('/')}/api/v2/alerts"
        self._board_url = board_url
        self._wording = wording
        self._session = session
        self._posted: dict[str, _Posted] = {}
        self._posted_ms: int | None = None

    async def push(self, seen: Seen, now_ms: int) -> None:
        """Post what is new, what has ended, and each minute all that is open."""
        is_first = self._posted_ms is None
        is_due = self._posted_ms is None or not 0 <= now_ms - self._posted_ms < AGAIN_SECONDS * 1000
        active = {
            alert_id: _Posted(_labels(record), record.state, record)
            for alert_id, record in seen.open.items()
            if alert_id in self._posted or alert_id not in seen.silenced
        }
        posts = []
        for alert_id, before in self._posted.items():
            after = active.get(alert_id)
            if after is None or after.labels != before.labels:  # other labels make it another alert there
                posts.append(self._ended(before, seen.alerts.get(alert_id), now_ms))
        if is_first:  # what was open before this process began, and is not any more
            posts += [self._alert(one, _labels(one), one.changed_ms) for one in seen.recently_resolved().values()]
        for alert_id, one in active.items():
            known = self._posted.get(alert_id)
            if is_due or known is None or (known.labels, known.state) != (one.labels, one.state):
                posts.append(self._alert(one.record, one.labels, now_ms + _LASTS_MS))
        if posts:
            await self._post(posts)
        self._posted = active
        if is_due:
            self._posted_ms = now_ms

    def _ended(self, before: _Posted, record: AlertRecord | None, now_ms: int) -> dict[str, Any]:
        if record is None or record.state != "resolved":
            return self._alert(before.record, before.labels, now_ms)
        return self._alert(record, before.labels, record.changed_ms)

    def _alert(self, record: AlertRecord, labels: dict[str, str], ends_ms: int) -> dict[str, Any]:
        text = description(record, self._board_url, self._wording)
        return {
            "labels": labels,
            "annotations": {
                "summary": text.title,
                "description": text.body,
                "alert_id": record.alert_id,
                "state": record.state,
            },
            "startsAt": instant_text(record.opened_ms),
            "endsAt": instant_text(max(ends_ms, record.opened_ms + 1)),
            "generatorURL": record.data(self._board_url)["links"]["board"],
        }

    async def _post(self, alerts: Iterable[dict[str, Any]]) -> None:
        waiting = list(alerts)
        for begin in range(0, len(waiting), _PIECE):
            piece = waiting[begin : begin + _PIECE]
            async with self._session.post(self._url, json=piece, allow_redirects=False, timeout=_TIMEOUT) as response:
                if response.status >= _MOVED:
                    raise PushFailedError(f"HTTP {response.status}")
                response.close()


def _labels(record: AlertRecord) -> dict[str, str]:
    owner = {"owner": record.campaign.owner} if record.campaign.owner else {}
    return {"alertname": ALERT_NAME, "campaign_id": record.campaign_id} | owner
