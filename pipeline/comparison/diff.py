"""What two runs say of each campaign, and by how much they differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pipeline.clickhouse import sql
from pipeline.comparison.grounds import Ground, grounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.clickhouse.reader import Reader

MEASURES: Final = (
    "touches",
    "reached",
    "conversions",
    "converters",
    "cost_minor",
    "return_minor",
    "aum_minor",
    "conversion_rate",
    "cpa_minor",
    "return_ratio",
    "net_roi",
)
_ADDED_UP: Final = MEASURES[:7]  # of a campaign that a run does not have they are 0; the ratios are nothing


@dataclass(frozen=True, slots=True)
class MeasureDiff:
    """One measure of one campaign in two runs; the difference is right - left, null where one of them is null."""

    measure: str
    left: Any
    right: Any

    @property
    def difference(self) -> Any:
        """By how much the right one is more."""
        return None if self.left is None or self.right is None else self.right - self.left


@dataclass(frozen=True, slots=True)
class CampaignDiff:
    """One campaign's measures in two runs, those that are equal too, and what of its definition differs."""

    campaign_id: str
    measures: tuple[MeasureDiff, ...]
    grounds: tuple[Ground, ...] = ()

    @property
    def changed(self) -> list[MeasureDiff]:
        """The measures that are not equal."""
        return [one for one in self.measures if one.left != one.right]

    @property
    def money(self) -> int:
        """What is at stake: by how much return, cost and assets differ, in minor units."""
        moved = {one.measure: one.difference for one in self.measures}
        return sum(abs(moved[name]) for name in ("return_minor", "cost_minor")) or abs(moved["aum_minor"])


@dataclass(frozen=True, slots=True)
class RunDiff:
    """Two runs: every campaign of either, the most money first; and what differs for all of them."""

    left: str
    right: str
    campaigns: list[CampaignDiff]
    grounds: list[Ground] = field(default_factory=list)


def diff(reader: Reader, database: str, left: str, right: str) -> RunDiff:
    """Compare the campaigns of two runs.

    Raises:
        UserError: one of the runs is not there.
    """
    found = grounds(reader, database, left, right)
    rows = reader.rows(sql.query("diff_campaigns", database), {"left": left, "right": right})
    by_run = {run: {row["campaign_id"]: row for row in rows if row["run"] == run} for run in (left, right)}
    of_campaign: dict[str, list[Ground]] = {}
    for ground in found:
        if ground.campaign_id is not None:
            of_campaign.setdefault(ground.campaign_id, []).append(ground)
    campaigns = [
        CampaignDiff(
            campaign,
            tuple(
                MeasureDiff(
                    measure, _value(by_run[left].get(campaign), measure), _value(by_run[right].get(campaign), measure)
                )
                for measure in MEASURES
            ),
            tuple(of_campaign.get(campaign, ())),
        )
        for campaign in by_run[left] | by_run[right]
    ]
    campaigns.sort(key=lambda one: (-one.money, -len(one.changed), one.campaign_id))
    return RunDiff(left, right, campaigns, [ground for ground in found if ground.campaign_id is None])


def _value(row: Mapping[str, Any] | None, measure: str) -> Any:
    if row is None:
        return 0 if measure in _ADDED_UP else None
    return row[measure]
