"""The campaign lane's shard: cost events, which need no customer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, Never, cast

from pipeline.state.cells import Cells
from pipeline.state.intake import Intake, RecentIds, Refusal
from pipeline.state.rows import Changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.state.campaign_registry import CampaignRegistry
    from pipeline.state.intake import EventColumns
    from pipeline.state.policy import Policy
    from pipeline.state.rows import Stage
    from schemas.columns import CostColumns


class WithoutCustomers:
    """What the port asks about customers, answered by a core that has none."""

    customer_count: int = 0

    def drain_left_out(self) -> int:
        """Nobody can be erased here."""
        return 0

    def is_being_erased(self, _customer_id: str) -> bool:
        """Nobody can be erased here."""
        return False

    def erasures_at(self, _stage: Stage) -> Mapping[bytes, int]:
        """Nobody can be erased here."""
        return {}

    def _misplaced(self, *_: object, **__: object) -> Never:
        raise TypeError("the campaign lane has no customers")

    accept_profile = erase = revert_erased = finish_erasure = _misplaced

    def made_durable(self, version: int) -> None:
        """Nothing waits for it."""


class CostShard(WithoutCustomers):
    """State of one partition of the cost topic, whose name it is given; implements `port.ShardCore`."""

    def __init__(self, policy: Policy, campaigns: CampaignRegistry, *, topic: str) -> None:
        self._campaigns = campaigns
        self._cells = Cells(0, policy.calendar())
        self._ids = RecentIds()
        self._changes = Changes()
        self.costs = Intake(policy.lateness_ms, policy.future_ms, policy.span)
        self.intakes = {topic: self.costs}

    def open_chapter(self, chapter: int) -> None:
        """Start a new chapter for cells that come to memory from now on."""
        self._cells.open_chapter(chapter)

    def apply(self, topic: str, columns: EventColumns, now_ms: int | None) -> list[Refusal]:
        """Count a batch of the topic, in log order; return the refused ones."""
        if topic not in self.intakes:
            raise KeyError(topic)
        return self.apply_costs(cast("CostColumns", columns), now_ms)

    def refuse(self, topic: str, keys: Sequence[bytes | None]) -> list[bool]:
        """Count bad records; a dead letter may hold any of them."""
        self.intakes[topic].refuse(len(keys))
        return [True] * len(keys)

    def apply_costs(self, columns: CostColumns, now_ms: int | None) -> list[Refusal]:
        """Count a batch of cost events, under tier ''; return the refused ones."""
        columns, refusals = self.costs.screen(columns, now_ms)
        floors = partial(self.costs.floors, columns)
        columns = self.costs.accept(columns, self._ids.are_new(columns.event_id, columns.occurred_at, floors))
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
        self._ids.forget_before(self.costs.horizon)
        self._cells.forget_idle(idle_version)

    def restorer(self) -> StoredIds:
        """Return what loads stored state into this still empty shard."""
        return StoredIds(self._ids, self.costs)


class StoredIds:
    """Takes the ids of stored cost events; implements `port.CostRestorer`."""

    lane: Literal["campaign"] = "campaign"

    def __init__(self, ids: RecentIds, intake: Intake) -> None:
        self._ids = ids
        self._intake = intake

    @property
    def ids_since(self) -> int:
        """The earliest instant of the ids that are needed."""
        return self._intake.floor

    def event_id(self, event_id: str, at: int) -> None:
        """The id of an event that is still in time."""
        self._ids.remember(event_id, at)
