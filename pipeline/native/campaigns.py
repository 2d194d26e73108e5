"""What the compiled core of a shard is told of campaigns and of the calendar (native/campaigns.c)."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipeline.native.library import NOBODY, QUARTER, TRANSACTION_KINDS, library
from pipeline.state.calendar import DAY_MS

if TYPE_CHECKING:
    import numpy.typing as npt

    from pipeline.native.people import People
    from pipeline.native.rows import TouchRows
    from pipeline.state.calendar import BusinessCalendar
    from pipeline.state.campaign_registry import CampaignRegistry, CampaignRules

_DAYS_KEPT: Final = 2_000
_Margins: Final = ctypes.c_int64 * len(TRANSACTION_KINDS)


def begins_of(spans: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where values differ from the one before: events come nearly in order of time, so spans of it rarely do."""
    return np.flatnonzero(np.diff(spans, prepend=spans[:1] - 1))


@lru_cache(_DAYS_KEPT)  # each of a worker's shards asks for the same days
def _quarters(calendar: BusinessCalendar, day: int) -> npt.NDArray[Any]:
    return np.array(calendar.quarters_of(day), QUARTER)


class NativeCampaigns:
    """Keeps a shard's campaigns and arms as a registry has them, under the same numbers.

    The registry may serve several shards: whatever any of them has met is told to this one, too.
    """

    def __init__(self, people: People, campaigns: CampaignRegistry, calendar: BusinessCalendar) -> None:
        self._library = library()
        self._shard = people.handle
        self._campaigns = campaigns
        self._calendar = calendar
        self._rules: list[CampaignRules] = []
        self._controls: list[bool] = []
        self._revision = campaigns.revision
        self._days: set[int] = set()  # of UTC, whose quarters of an hour have been told

    def sync(self) -> None:
        """Tell what is new or has changed since the last call; nothing to tell costs next to nothing."""
        campaigns = self._campaigns
        if campaigns.revision != self._revision:
            self._revision = campaigns.revision
            self._tell_changes()
        for number in range(len(self._rules), len(campaigns.rules)):
            self._define(number, campaigns.rules[number])
            self._rules.append(campaigns.rules[number])
        for arm in campaigns.arms[len(self._controls) :]:
            text = arm.variant.encode()
            self._library.shard_add_arm(self._shard, arm.campaign_index, arm.is_control, text, len(text))
            self._controls.append(arm.is_control)

    def _tell_changes(self) -> None:
        for number, rules in enumerate(self._rules):
            if self._campaigns.rules[number] is not rules:
                self._define(number, self._campaigns.rules[number])
                self._rules[number] = self._campaigns.rules[number]
        for number, is_control in enumerate(self._controls):
            if self._campaigns.arms[number].is_control != is_control:
                self._library.shard_set_control(self._shard, number, not is_control)
                self._controls[number] = not is_control

    def arm(self, campaign_id: str, variant: str) -> int:
        """Return the number of an arm, new or known."""
        number = self._campaigns.arm(campaign_id, variant).index
        self.sync()
        return number

    def find_arms(self, touches: TouchRows) -> None:
        """Note each touch's arm in its row; the registry hears of those that are new."""
        self.sync()
        rows = touches.rows
        while self._library.shard_find_arms(self._shard, touches.texts, rows.ctypes.data, len(rows)):
            strange = touches.select((rows["arm"] == NOBODY).tolist())
            arms = set(zip(strange.texts_of("campaign_id"), strange.texts_of("variant"), strict=True))
            for campaign_id, variant in sorted(arms):
                self._campaigns.arm(campaign_id, variant)
            self.sync()

    def _define(self, number: int, rules: CampaignRules) -> None:
        campaign_id = self._campaigns.ids[number].encode()
        wanted = [rules.kinds is None or kind in rules.kinds for kind in TRANSACTION_KINDS]
        self._library.shard_define_campaign(
            self._shard,
            number,
            rules.window_ms,
            sum(1 << place for place, is_wanted in enumerate(wanted) if is_wanted),
            rules.min_amount_minor,
            _Margins(*(rules.margins_bps.get(kind, 0) for kind in TRANSACTION_KINDS)),
            rules.products is None,
            campaign_id,
            len(campaign_id),
        )
        for product in sorted(rules.products or ()):
            text = product.encode()
            self._library.shard_add_campaign_product(self._shard, number, text, len(text))

    def know_quarters(self, instants: npt.NDArray[np.int64]) -> None:
        """Tell business day and hour of instants (epoch milliseconds), before anything is counted at them."""
        days = instants // DAY_MS
        new = set(days[begins_of(days)].tolist()) - self._days
        if not new:
            return
        told = np.concatenate([_quarters(self._calendar, day) for day in new])
        self._library.shard_add_quarters(self._shard, told.ctypes.data, len(told))
        self._days |= new
