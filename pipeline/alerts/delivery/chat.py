"""Chat and mail: several notices become one text for a phone, sent through Apprise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.alerts.delivery.texts import text_of
from pipeline.alerts.record import name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.delivery.outcomes import Outcome
    from pipeline.alerts.delivery.postmen import Postmen
    from pipeline.alerts.delivery.texts import Wording
    from pipeline.alerts.log import Notification


class ChatChannel:
    """Tells one receiver by texts.

    Args:
        url: as Apprise understands it.
        postmen: send.
        wording: of the texts.
    """

    is_grouped = True

    def __init__(self, url: str, postmen: Postmen, wording: Wording) -> None:
        self._url = url
        self._postmen = postmen
        self._wording = wording

    async def deliver(self, notices: Sequence[Notification]) -> Outcome:
        """Send one text about all notices; of one alert the newest counts."""
        newest = {notice.alert_id: notice for notice in notices}
        # with what it repeats still on its way, a reminder is the first that anybody hears of it
        untold = {notice.alert_id for notice in notices if not notice.is_reminder}
        contents = [
            (msgspec.json.decode(notice.payload), notice.is_reminder and notice.alert_id not in untold)
            for notice in newest.values()
        ]
        text = text_of(contents, self._wording)
        identity = name_of("txt", *sorted(notice.notification_id for notice in notices))
        return await self._postmen.send(self._url, text.title, text.body, text.kind, identity)
