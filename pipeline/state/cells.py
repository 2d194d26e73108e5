"""The numbers of campaigns: what each family of cells counts, kept by chapters (see `chapters`)."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from pipeline.state.calendar import DAY_MS, MINUTE_MS, QUARTER_MS
from pipeline.state.chapters import ChapterCells
from pipeline.state.rollups import PartCells
from pipeline.state.rows import CELL_WIDTH, COHORT, DAY, FULL, HOUR, MINUTE, TIER, VARIANT, CellMeasure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.state.calendar import BusinessCalendar
    from pipeline.state.campaign_registry import Arm
    from pipeline.state.records import Credit
    from pipeline.state.rollups import Cell, Place, Span
    from pipeline.state.rows import CellColumns

# plain integers: on the path of every event an enumeration's members would be looked up and converted each time
TOUCHES: Final[int] = CellMeasure.TOUCHES.value
REACHED: Final[int] = CellMeasure.REACHED.value
CONVERSIONS: Final[int] = CellMeasure.CONVERSION_MILLIONTHS.value
CONVERTERS: Final[int] = CellMeasure.CONVERTERS.value
COST: Final[int] = CellMeasure.COST_MINOR.value
RETURN: Final[int] = CellMeasure.RETURN_MINOR.value
AUM: Final[int] = CellMeasure.AUM_MINOR.value

# cells are found by numbers, which hash faster than tuples: (campaign << _CAMPAIGN) + minute or (day << _LAG) + lag
_CAMPAIGN: Final = 48
_LAG: Final = 20


class Cells:
    """All cells of one shard for one attribution model.

    Every model has totals, by tier and by variant. What a campaign did by time, in the event view and the cohort view,
    is told of the deciding model alone, the first: cells of the others would be a third of all rows, read by nobody.
    """

    def __init__(self, model: int, calendar: BusinessCalendar) -> None:
        self.model = model
        self._decides = model == 0
        self._day_of = calendar.day_of
        self._tiers: ChapterCells[tuple[int, str], Place] = ChapterCells(CELL_WIDTH)
        self._variants: ChapterCells[int, Place] = ChapterCells(CELL_WIDTH)
        self._days: ChapterCells[Span, Place] = ChapterCells(CELL_WIDTH)
        self._hours: PartCells[Span] = PartCells(self._days, QUARTER_MS // 1000, lambda at: calendar.day_of(at * 1000))
        self._minutes: PartCells[int] = PartCells(
            self._hours, QUARTER_MS // MINUTE_MS, lambda minute: calendar.hour_of(minute * MINUTE_MS)
        )
        self._cohorts: ChapterCells[int, Place] = ChapterCells(CELL_WIDTH)
        # each family after those whose wider cells it holds
        self._families: dict[str, ChapterCells[Any, Place]] = {
            TIER: self._tiers,
            VARIANT: self._variants,
            MINUTE: self._minutes,
            COHORT: self._cohorts,
            HOUR: self._hours,
            DAY: self._days,
        }

    def __len__(self) -> int:
        return sum(map(len, self._families.values()))

    @property
    def passing(self) -> int:
        """Return how many cells there are that leave memory once they are idle."""
        return sum(map(len, self._passing()))

    def _passing(self) -> tuple[ChapterCells[Any, Place], ...]:
        return self._minutes, self._hours, self._days, self._cohorts

    def open_chapter(self, chapter: int) -> None:
        """Give cells that come to memory from now on this chapter."""
        for family in self._families.values():
            family.open_chapter(chapter)

    # -- finding a cell's measures, marked to be stored -----------------------------------------------------------

    def _tier(self, arm: Arm, tier: str) -> list[int]:
        key = (arm.campaign_index, tier)
        cell = self._tiers.get(key) or self._tiers.begin(key, (arm.campaign_id, tier, 0, 0))
        return cell.measures if cell.dirty else self._tiers.change(cell)

    def _variant(self, arm: Arm) -> list[int]:
        key = arm.index
        cell = self._variants.get(key) or self._variants.begin(key, (arm.campaign_id, arm.variant, 0, 0))
        return cell.measures if cell.dirty else self._variants.change(cell)

    def _minute(self, arm: Arm, at: int) -> list[int]:
        minute = at // MINUTE_MS
        key = (arm.campaign_index << _CAMPAIGN) + minute  # not |: a minute before 1970 is negative
        cell = self._minutes.get(key) or self._minutes.begin(key, (arm.campaign_id, "", minute, 0))
        return cell.measures if cell.dirty else self._minutes.change(cell)

    def _cohort(self, arm: Arm, touched_at: int, lag: int = 0) -> list[int]:
        day = self._day_of(touched_at)
        key = (arm.campaign_index << _CAMPAIGN) + (day << _LAG) + lag
        cell = self._cohorts.get(key) or self._cohorts.begin(key, (arm.campaign_id, "", day, lag))
        return cell.measures if cell.dirty else self._cohorts.change(cell)

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
        changing = [self._tier(arm, tier), self._variant(arm)]
        if self._decides:
            changing += self._minute(arm, at), self._cohort(arm, touched_at, (at - touched_at) // DAY_MS)
        for measures in changing:
            measures[CONVERSIONS] += millionths
            measures[RETURN] += money
            measures[AUM] += assets

    def add_arm_conversion(self, arm: Arm, sign: int) -> None:
        """Count (or uncount) a customer as converter of a variant."""
        self._variant(arm)[CONVERTERS] += sign

    def add_conversion(self, arm: Arm, tier: str, at: int, sign: int) -> None:
        """Count (or uncount) a customer's first credited transaction of the arm's campaign."""
        self._tier(arm, tier)[CONVERTERS] += sign
        if self._decides:
            self._minute(arm, at)[CONVERTERS] += sign

    # -- out -------------------------------------------------------------------------------------------------------

    def drain_changes(self, version: int, into: Mapping[str, CellColumns]) -> None:
        """Write every cell changed since the last call, as stored by the block of this version."""
        for name, family in self._families.items():
            self._write(family.drain(version), into[name], version)

    def _write(self, cells: list[Cell], columns: CellColumns, version: int) -> None:
        columns.campaign_id += [cell.place[0] for cell in cells]
        columns.label += [cell.place[1] for cell in cells]
        columns.coordinate += [cell.place[2] for cell in cells]
        columns.lag += [cell.place[3] for cell in cells]
        columns.model += [self.model] * len(cells)
        columns.chapter += [cell.chapter for cell in cells]
        columns.measures.extend(chain.from_iterable([cell.measures for cell in cells]))
        for cell in cells:
            numbers = cell.measures
            if not (-FULL < numbers[COST] < FULL and -FULL < numbers[RETURN] < FULL and -FULL < numbers[AUM] < FULL):
                cell.end_chapter(version + 1)

    def forget_idle(self, before_version: int) -> None:
        """Drop cells of minutes, hours, days and cohorts that no block since ``before_version`` has changed."""
        for family in self._passing():
            family.forget_idle(before_version)
