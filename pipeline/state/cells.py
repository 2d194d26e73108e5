"""The numbers of campaigns, kept as cells that can be stored again and again without counting twice.

A cell holds what its shard added *since the cell came to memory*: its chapter. A stored chapter is only ever replaced
by a later value of the same chapter, and a view adds up all chapters. So a new owner of a shard starts every cell
at zero under a new chapter and never has to read old ones, and a cell nobody touches can leave memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pipeline.state.calendar import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.state.calendar import BusinessCalendar
    from pipeline.state.campaign_registry import Arm
    from pipeline.state.records import Credit

# positions of the measures within a cell
TOUCHES: Final = 0
REACHED: Final = 1
CONVERSIONS: Final = 2
CONVERTERS: Final = 3
COST: Final = 4
RETURN: Final = 5
AUM: Final = 6
CELL_WIDTH: Final = 7

# families: by tier, by variant, by minute of the event, by business day of the touch and lag in whole days
TIER: Final = "tier"
VARIANT: Final = "variant"
MINUTE: Final = "minute"
COHORT: Final = "cohort"

# cells are found by numbers, which hash faster than tuples: (campaign << _CAMPAIGN) + minute or (day << _LAG) + lag
_CAMPAIGN: Final = 48
_LAG: Final = 20


class CellRow(Struct, frozen=True, gc=False):
    """One changed cell, ready to be stored: the value of its chapter so far."""

    family: str
    campaign_id: str
    label: str
    coordinate: int
    lag: int
    model: int
    chapter: int
    measures: list[int]


class _Cell:
    __slots__ = ("campaign_id", "chapter", "coordinate", "dirty", "family", "label", "lag", "measures", "used")

    def __init__(self, family: str, campaign_id: str, label: str, coordinate: int, lag: int) -> None:
        self.family = family
        self.campaign_id = campaign_id
        self.label = label
        self.coordinate = coordinate
        self.lag = lag
        self.chapter = self.used = 0
        self.dirty = False
        self.measures = [0] * CELL_WIDTH


class Cells:
    """All cells of one shard for one attribution model."""

    def __init__(self, model: int, calendar: BusinessCalendar) -> None:
        self.model = model
        self._day_of = calendar.day_of
        self._tiers: dict[tuple[int, str], _Cell] = {}
        self._variants: dict[int, _Cell] = {}
        self._minutes: dict[int, _Cell] = {}
        self._cohorts: dict[int, _Cell] = {}
        self._dirty: list[_Cell] = []
        self._chapter = 0

    def __len__(self) -> int:
        return len(self._tiers) + len(self._variants) + len(self._minutes) + len(self._cohorts)

    def open_chapter(self, chapter: int) -> None:
        """Give cells that come to memory from now on this chapter; chapters of a shard only ever grow."""
        self._chapter = chapter

    # -- finding a cell's measures, marked to be stored -----------------------------------------------------------

    def _touched(self, cell: _Cell) -> list[int]:
        cell.dirty = True
        self._dirty.append(cell)
        return cell.measures

    def _new(self, family: str, arm: Arm, label: str, coordinate: int = 0, lag: int = 0) -> _Cell:
        cell = _Cell(family, arm.campaign_id, label, coordinate, lag)
        cell.chapter = cell.used = self._chapter
        return cell

    def _tier(self, arm: Arm, tier: str) -> list[int]:
        key = (arm.campaign_index, tier)
        cell = self._tiers.get(key)
        if cell is None:
            cell = self._tiers[key] = self._new(TIER, arm, tier)
        return cell.measures if cell.dirty else self._touched(cell)

    def _variant(self, arm: Arm) -> list[int]:
        cell = self._variants.get(arm.index)
        if cell is None:
            cell = self._variants[arm.index] = self._new(VARIANT, arm, arm.variant)
        return cell.measures if cell.dirty else self._touched(cell)

    def _minute(self, arm: Arm, at: int) -> list[int]:
        minute = at // MINUTE_MS
        key = (arm.campaign_index << _CAMPAIGN) + minute  # not |: a minute before 1970 is negative
        cell = self._minutes.get(key)
        if cell is None:
            cell = self._minutes[key] = self._new(MINUTE, arm, "", minute)
        return cell.measures if cell.dirty else self._touched(cell)

    def _cohort(self, arm: Arm, touched_at: int, lag: int = 0) -> list[int]:
        day = self._day_of(touched_at)
        key = (arm.campaign_index << _CAMPAIGN) + (day << _LAG) + lag
        cell = self._cohorts.get(key)
        if cell is None:
            cell = self._cohorts[key] = self._new(COHORT, arm, "", day, lag)
        return cell.measures if cell.dirty else self._touched(cell)

    # -- what is counted -------------------------------------------------------------------------------------------

    def add_touch(  # noqa: PLR0913 - everything a touch counts, in one visit to each cell
        self, arm: Arm, tier: str, at: int, touches: int, cost: int, *, reaches_arm: bool, reaches: bool
    ) -> None:
        """Count a touch (``touches`` 0: not a creditable one, or a cost event) at its own time.

        ``reaches_arm`` and ``reaches`` say that it is the customer's first of the variant, of the campaign.
        """
        measures = self._tier(arm, tier)
        measures[TOUCHES] += touches
        measures[COST] += cost
        measures[REACHED] += reaches
        measures = self._variant(arm)
        measures[TOUCHES] += touches
        measures[COST] += cost
        measures[REACHED] += reaches_arm
        measures = self._minute(arm, at)
        measures[TOUCHES] += touches
        measures[COST] += cost
        measures[REACHED] += reaches
        if cost or reaches:
            measures = self._cohort(arm, at)
            measures[COST] += cost
            measures[REACHED] += reaches

    def revert_reach(self, arm: Arm, tier: str, at: int) -> None:
        """Uncount a customer's first touch by a campaign: an earlier one has come to light."""
        self._tier(arm, tier)[REACHED] -= 1
        self._minute(arm, at)[REACHED] -= 1
        self._cohort(arm, at)[REACHED] -= 1

    def add_credit(self, arm: Arm, tier: str, at: int, credit: Credit, sign: int) -> None:
        """Book (or take back) a credit: event view at the transaction, cohort view at the touch."""
        touched_at = credit.touch.at
        millionths, money, assets = sign * credit.millionths, sign * credit.return_minor, sign * credit.aum_minor
        for measures in (
            self._tier(arm, tier),
            self._variant(arm),
            self._minute(arm, at),
            self._cohort(arm, touched_at, (at - touched_at) // DAY_MS),
        ):
            measures[CONVERSIONS] += millionths
            measures[RETURN] += money
            measures[AUM] += assets

    def add_arm_conversion(self, arm: Arm, sign: int) -> None:
        """Count (or uncount) a customer as converter of a variant."""
        self._variant(arm)[CONVERTERS] += sign

    def add_conversion(self, arm: Arm, tier: str, at: int, sign: int) -> None:
        """Count (or uncount) a customer's first credited transaction of the arm's campaign."""
        self._tier(arm, tier)[CONVERTERS] += sign
        self._minute(arm, at)[CONVERTERS] += sign

    # -- out -------------------------------------------------------------------------------------------------------

    def drain_changes(self, version: int) -> Iterator[CellRow]:
        """Yield every cell changed since the last call and mark it stored by the block of this version."""
        for cell in self._dirty:
            cell.dirty = False
            cell.used = version
            yield CellRow(
                cell.family,
                cell.campaign_id,
                cell.label,
                cell.coordinate,
                cell.lag,
                self.model,
                cell.chapter,
                cell.measures.copy(),
            )
        self._dirty.clear()

    def forget_idle(self, before_version: int) -> None:
        """Drop cells of minutes and cohorts that no block since ``before_version`` has changed."""
        for cells in (self._minutes, self._cohorts):
            for key in [key for key, cell in cells.items() if cell.used < before_version and not cell.dirty]:
                del cells[key]
