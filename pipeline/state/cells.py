"""The numbers of campaigns, kept as cells that can be stored again and again without counting twice.

A cell holds what its shard added *since the cell came to memory*: its chapter. A stored chapter is only ever replaced
by a later value of the same chapter, and a view adds up all chapters. So a new owner of a shard starts every cell
at zero under a new chapter and never has to read old ones, and a cell nobody touches can leave memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.state.calendar import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.state.book import Arm
    from pipeline.state.calendar import BusinessCalendar
    from pipeline.state.records import Credit

# positions of the measures within a cell
TOUCHES: Final = 0
REACHED: Final = 1
CONVERSIONS: Final = 2
CONVERTERS: Final = 3
COST: Final = 4
RETURN: Final = 5
AUM: Final = 6
MEASURES: Final = 7

# families: what a cell's two coordinates mean
TIER: Final = "tier"  # tier, 0
VARIANT: Final = "variant"  # variant, 0
MINUTE: Final = "minute"  # '', epoch minute
COHORT: Final = "cohort"  # lag in whole days (as text would sort badly: an int), business day of the touch

CellKey = tuple[str, str, str, int, int]  # family, campaign_id, label, coordinate, lag


class CellRow(NamedTuple):
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
    __slots__ = ("chapter", "dirty", "measures", "used")

    def __init__(self, chapter: int) -> None:
        self.chapter = chapter
        self.dirty = False
        self.used = chapter
        self.measures = [0] * MEASURES


class Cells:
    """All cells of one shard for one attribution model."""

    def __init__(self, model: int, calendar: BusinessCalendar) -> None:
        self.model = model
        self._day_of = calendar.day_of
        self._cells: dict[CellKey, _Cell] = {}
        self._dirty: list[tuple[CellKey, _Cell]] = []
        self._chapter = 0

    def __len__(self) -> int:
        return len(self._cells)

    def open_chapter(self, chapter: int) -> None:
        """Give cells that come to memory from now on this chapter; chapters of a shard only ever grow."""
        self._chapter = chapter

    def _measures(self, key: CellKey) -> list[int]:
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = _Cell(self._chapter)
        if not cell.dirty:
            cell.dirty = True
            self._dirty.append((key, cell))
        return cell.measures

    def add_touch(self, arm: Arm, tier: str, at: int, touches: int, cost: int) -> None:
        """Count a touch (0 or 1 creditable ones) and its cost at its own time."""
        campaign = arm.campaign_id
        measures = self._measures((TIER, campaign, tier, 0, 0))
        measures[TOUCHES] += touches
        measures[COST] += cost
        measures = self._measures((VARIANT, campaign, arm.variant, 0, 0))
        measures[TOUCHES] += touches
        measures[COST] += cost
        measures = self._measures((MINUTE, campaign, "", at // MINUTE_MS, 0))
        measures[TOUCHES] += touches
        measures[COST] += cost
        if cost:
            self._measures((COHORT, campaign, "", self._day_of(at), 0))[COST] += cost

    def add_arm_reach(self, arm: Arm) -> None:
        """Count a customer as reached by a variant; which minute it happened in is the campaign's affair."""
        self._measures((VARIANT, arm.campaign_id, arm.variant, 0, 0))[REACHED] += 1

    def add_reach(self, campaign: str, tier: str, at: int, sign: int) -> None:
        """Count (or uncount) a customer's first touch by a campaign."""
        self._measures((TIER, campaign, tier, 0, 0))[REACHED] += sign
        self._measures((MINUTE, campaign, "", at // MINUTE_MS, 0))[REACHED] += sign
        self._measures((COHORT, campaign, "", self._day_of(at), 0))[REACHED] += sign

    def add_credit(self, arm: Arm, tier: str, at: int, credit: Credit, sign: int) -> None:
        """Book (or take back) a credit: event view at the transaction, cohort view at the touch."""
        campaign = arm.campaign_id
        touched_at = credit.touch.at
        millionths, money, assets = sign * credit.millionths, sign * credit.return_minor, sign * credit.aum_minor
        for key in (
            (TIER, campaign, tier, 0, 0),
            (VARIANT, campaign, arm.variant, 0, 0),
            (MINUTE, campaign, "", at // MINUTE_MS, 0),
            (COHORT, campaign, "", self._day_of(touched_at), (at - touched_at) // DAY_MS),
        ):
            measures = self._measures(key)
            measures[CONVERSIONS] += millionths
            measures[RETURN] += money
            measures[AUM] += assets

    def add_arm_conversion(self, arm: Arm, sign: int) -> None:
        """Count (or uncount) a customer as converter of a variant."""
        self._measures((VARIANT, arm.campaign_id, arm.variant, 0, 0))[CONVERTERS] += sign

    def add_conversion(self, campaign: str, tier: str, at: int, sign: int) -> None:
        """Count (or uncount) a customer's first credited transaction of a campaign."""
        self._measures((TIER, campaign, tier, 0, 0))[CONVERTERS] += sign
        self._measures((MINUTE, campaign, "", at // MINUTE_MS, 0))[CONVERTERS] += sign

    def take_changes(self, version: int) -> Iterator[CellRow]:
        """Yield every cell changed since the last call and mark it stored by the block of this version."""
        for (family, campaign, label, coordinate, lag), cell in self._dirty:
            cell.dirty = False
            cell.used = version
            yield CellRow(family, campaign, label, coordinate, lag, self.model, cell.chapter, list(cell.measures))
        self._dirty.clear()

    def forget_idle(self, before_version: int) -> int:
        """Drop cells no block since ``before_version`` has changed; return how many went."""
        idle = [key for key, cell in self._cells.items() if not cell.dirty and cell.used < before_version]
        for key in idle:
            del self._cells[key]
        return len(idle)
