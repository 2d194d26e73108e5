"""Annotations in Grafana: for each alert a region from its firing to its resolution, found again by its tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipeline.alerts.delivery.sinks import PushFailedError, description

if TYPE_CHECKING:
    from pipeline.alerts.delivery.sinks import Seen
    from pipeline.alerts.delivery.texts import Wording
    from pipeline.alerts.record import AlertRecord

TAG: Final = "roi-alert"
_ALERT: Final = "alert_id:"
_AGAIN_SECONDS: Final = 600.0
_TIMEOUT_SECONDS: Final = 10.0
_MOST: Final = 5000
_UNAUTHORISED: Final = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Annotation:
    """One that is there; instants in epoch milliseconds."""

    annotation_id: int
    begin_ms: int
    is_ended: bool


class Grafana:
    """One Grafana.

    Args:
        url: its address.
        token: of a service account that may write annotations.
        board_url: for links.
        wording: of the texts.
    """

    name = "Grafana"
    again_seconds = _AGAIN_SECONDS

    def __init__(self, url: str, token: str, board_url: str, wording: Wording) -> None:
        from grafana_client.api import AsyncGrafanaApi  # takes a moment to load: only who needs it
        from grafana_client.client import TokenAuth

        credential: Any = TokenAuth
        self._api: Any = AsyncGrafanaApi.from_url(url, credential=credential(token), timeout=_TIMEOUT_SECONDS)
        self._board_url = board_url
        self._wording = wording
        self._known: dict[str, Annotation] | None = None
        self._owed: set[str] = set()

    async def push(self, seen: Seen, now_ms: int) -> None:
        """Begin the regions of alerts that have fired, and end those of alerts that have been resolved."""
        del now_ms
        self._owed |= seen.open.keys() - seen.silenced
        known = self._known
        if known is None:
            known = self._known = await self._find()
        try:
            for alert_id in sorted(self._owed - known.keys()):
                known[alert_id] = await self._begin(seen.alerts[alert_id])
            for alert_id, there in list(known.items()):
                record = seen.alerts.get(alert_id)
                if not there.is_ended and record is not None and record.state == "resolved":
                    await self._end(there, record)
                    known[alert_id] = Annotation(there.annotation_id, there.begin_ms, is_ended=True)
        except BaseException:
            self._known = None  # whether it was done is unknown: look for it
            raise

    async def close(self) -> None:
        """Close the connection."""
        await self._api.client.s.close()

    async def _find(self) -> dict[str, Annotation]:
        found = await _answer(self._api.annotations.find_annotations(tags=[TAG], ann_type="annotation", limit=_MOST))
        known: dict[str, Annotation] = {}
        for one in found:
            ids = [tag.removeprefix(_ALERT) for tag in one.get("tags") or () if tag.startswith(_ALERT)]
            begin_ms, end_ms = int(one["time"]), int(one.get("timeEnd") or 0)
            for alert_id in ids:
                known[alert_id] = Annotation(int(one["id"]), begin_ms, is_ended=end_ms > begin_ms)
        return known

    async def _begin(self, record: AlertRecord) -> Annotation:
        begin_ms = record.changed_ms if record.state == "firing" else record.opened_ms
        text = self._text(record)
        made = await _answer(self._api.annotations.add_annotation(time_from=begin_ms, tags=_tags(record), text=text))
        return Annotation(int(made["id"]), begin_ms, is_ended=False)

    async def _end(self, there: Annotation, record: AlertRecord) -> None:
        # everything is given: what is left out would be emptied
        await _answer(
            self._api.annotations.partial_update_annotation(
                there.annotation_id,
                time_from=there.begin_ms,
                time_to=max(record.changed_ms, there.begin_ms + 1),
                tags=_tags(record),
                text=self._text(record),
            )
        )

    def _text(self, record: AlertRecord) -> str:
        text = description(record, self._board_url, self._wording)
        return f"{text.title}\n{text.body}"


def _tags(record: AlertRecord) -> list[str]:
    return [TAG, f"campaign:{record.campaign_id}", f"{_ALERT}{record.alert_id}"]


async def _answer(call: Any) -> Any:
    """Return what Grafana answers; PushFailedError: how it refuses, without its words."""
    from grafana_client.client import GrafanaException

    try:
        return await call
    except GrafanaException as error:
        status = error.status_code
        hint = ": its token may not write annotations" if status in _UNAUTHORISED else ""
        raise PushFailedError(f"HTTP {status}{hint}" if status else type(error).__name__) from None
