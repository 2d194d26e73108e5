"""The campaign lane's shard: cost events, which need no customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.state.cells import Cells
from pipeline.state.intake import Intake, RecentIds, Refusal
from pipeline.state.rows import Changes

if TYPE_CHECKING:
    from pipeline.state.campaign_registry import CampaignRegistry
    from pipeline.state.policy import Policy
    from schemas.columns import CostColumns


class CostShard:
    """State of one partition of the cost topic."""

    def __init__(self, policy: Policy, campaigns: CampaignRegistry) -> None:
        self._campaigns = campaigns
        self._cells = Cells(0, policy.calendar())
        self._ids = RecentIds()
        self._changes = Changes()
        self.costs = Intake(policy.lateness_ms, policy.future_ms)

    def open_chapter(self, chapter: int) -> None:
        """Start a new chapter for cells that come to memory from now on."""
        self._cells.open_chapter(chapter)

    def apply_costs(self, columns: CostColumns, now_ms: int | None) -> list[Refusal]:
        """Count a batch of cost events, under tier ''; return the refused ones."""
        columns, refusals = self.costs.screen(columns, now_ms)
        is_new = self._ids.are_new(columns.event_id, columns.occurred_at)
        columns = self.costs.accept(columns, is_new)
        for at, campaign_id, variant, amount in zip(
            columns.occurred_at, columns.campaign_id, columns.variant, columns.amount_minor, strict=True
        ):
            arm = self._campaigns.arm(campaign_id, variant)
            self._cells.add_touch(arm, "", at, 0, amount, reaches_arm=False, reaches=False)
        facts = self._changes.costs
        facts.offset += columns.offset
        facts.event_id += columns.event_id
        facts.at += columns.occurred_at
        facts.campaign_id += columns.campaign_id
        facts.variant += [variant or "" for variant in columns.variant]
        facts.category += columns.category
        facts.amount_minor += columns.amount_minor
        return refusals

    def drain_changes(self, version: int) -> Changes:
        """Return everything learnt since the last call; ``version`` is the block that will make it durable."""
        changes, self._changes = self._changes, Changes()
        self._cells.drain_changes(version, changes.cells)
        return changes

    def forget(self, idle_version: int) -> None:
        """Drop ids whose copies would be too late, and cells idle since a version."""
        self._ids.forget_before(self.costs.floor)
        self._cells.forget_idle(idle_version)

    def load_ids(self, ids: list[tuple[str, int]]) -> None:
        """Remember stored event ids (id, occurred_at in ms)."""
        for event_id, at in ids:
            self._ids.is_duplicate(event_id, at)
