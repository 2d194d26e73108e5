from __future__ import annotations

import pytest

from pipeline.state.calendar import BusinessCalendar
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.cells import AUM, CONVERSIONS, CONVERTERS, COST, REACHED, RETURN, TOUCHES, Cells
from pipeline.state.records import Credit, Touch
from pipeline.state.rows import COHORT, DAY, FULL, HOUR, MINUTE, TIER, VARIANT, CellRow, Changes
from tests.state.building import POLICY

CALENDAR = BusinessCalendar("UTC")


def _taken(cells: Cells, version: int = 1) -> dict[tuple[str, str, str, int, int], CellRow]:
    changes = Changes()
    cells.drain_changes(version, changes.cells)
    return {
        (family, row.campaign_id, row.label, row.coordinate, row.lag): row
        for family, columns in changes.cells.items()
        for row in columns.rows()
    }


def _touch(cells: Cells, campaigns: CampaignRegistry, at: int, *, campaign: str = "spring", variant: str = "a") -> None:
    cells.add_touch(campaigns.arm(campaign, variant), "A", at, 1, 3, reaches_arm=False, reaches=False)


def test_a_touch_stands_under_tier_variant_minute_hour_and_day() -> None:
    cells, campaigns = Cells(0, CALENDAR), CampaignRegistry(POLICY)
    _touch(cells, campaigns, 86_400_000 + 61_000)
    rows = _taken(cells)
    assert set(rows) == {
        (TIER, "spring", "A", 0, 0),
        (VARIANT, "spring", "a", 0, 0),
        (MINUTE, "spring", "", 1441, 0),
        (COHORT, "spring", "", 1, 0),
        (HOUR, "spring", "", 86_400, 0),
        (DAY, "spring", "", 1, 0),
    }
    assert rows[TIER, "spring", "A", 0, 0].measures[TOUCHES] == 1
    assert [row.measures[COST] for row in rows.values()] == [3] * 6


@pytest.mark.parametrize(("model", "by_time"), [(0, {MINUTE, COHORT, HOUR, DAY}), (1, set()), (4, set())])
def test_what_a_campaign_did_by_time_is_told_of_the_deciding_model_alone(model: int, by_time: set[str]) -> None:
    cells, campaigns = Cells(model, CALENDAR), CampaignRegistry(POLICY)
    arm = campaigns.arm("spring", "a")
    credit = Credit(model, Touch(arm.campaign_index, 0, "t", arm.index), 1_000_000, 500, 40)
    cells.add_credit(arm, "A", 60_000, credit, 1)
    cells.add_arm_conversion(arm, 1)
    cells.add_conversion(arm, "A", 60_000, 1)
    rows = _taken(cells)
    assert {key[0] for key in rows} == {TIER, VARIANT} | by_time
    for row in rows.values():
        assert (row.measures[CONVERSIONS], row.measures[RETURN], row.measures[AUM]) == (1_000_000, 500, 40)
    assert {key[0] for key, row in rows.items() if row.measures[CONVERTERS]} == {TIER, VARIANT} | (by_time - {COHORT})


def test_what_was_stored_is_not_handed_out_again_until_it_changes() -> None:
    cells, campaigns = Cells(0, CALENDAR), CampaignRegistry(POLICY)
    _touch(cells, campaigns, 0)
    first = _taken(cells)[MINUTE, "spring", "", 0, 0]
    assert _taken(cells) == {}
    _touch(cells, campaigns, 1)
    second = _taken(cells)[MINUTE, "spring", "", 0, 0]
    assert (first.measures[TOUCHES], second.measures[TOUCHES]) == (1, 2)  # what was handed out has not moved


def test_a_cell_that_left_memory_comes_back_at_zero_under_a_later_chapter() -> None:
    cells, campaigns = Cells(0, CALENDAR), CampaignRegistry(POLICY)
    cells.open_chapter(1)
    _touch(cells, campaigns, 0)
    assert {row.chapter for row in _taken(cells, 1).values()} == {1}
    cells.forget_idle(2)
    assert len(cells) == 2  # tiers and variants are few and stay
    cells.open_chapter(5)
    _touch(cells, campaigns, 0)
    rows = _taken(cells, 5)
    assert (rows[MINUTE, "spring", "", 0, 0].chapter, rows[MINUTE, "spring", "", 0, 0].measures[TOUCHES]) == (5, 1)
    assert (rows[TIER, "spring", "A", 0, 0].chapter, rows[TIER, "spring", "A", 0, 0].measures[TOUCHES]) == (1, 2)


def test_a_cell_not_yet_stored_never_leaves_memory() -> None:
    cells, campaigns = Cells(0, CALENDAR), CampaignRegistry(POLICY)
    _touch(cells, campaigns, 0)
    cells.forget_idle(1 << 60)
    assert len(_taken(cells)) == 6


def test_hours_and_days_follow_what_minutes_gain_and_lose() -> None:
    cells, campaigns = Cells(0, BusinessCalendar("Asia/Kathmandu")), CampaignRegistry(POLICY)
    arm = campaigns.arm("spring", "a")
    for version, ats in enumerate(([0, 60_000], [60_000], [900_000], []), start=1):
        for at in ats:
            _touch(cells, campaigns, at)
        if version == 2:
            cells.revert_reach(arm, "A", 0)
        rows = _taken(cells, version)
        if version < 4:
            hours = {
                key[3]: (row.measures[TOUCHES], row.measures[REACHED]) for key, row in rows.items() if key[0] == HOUR
            }
            days = {
                key[3]: (row.measures[TOUCHES], row.measures[REACHED]) for key, row in rows.items() if key[0] == DAY
            }
            # Kathmandu's clock showed 5:30 at the epoch
            assert (hours, days) == (
                [{-1_800: (2, 0)}, {-1_800: (3, -1)}, {-1_800: (4, -1)}][version - 1],
                [{0: (2, 0)}, {0: (3, -1)}, {0: (4, -1)}][version - 1],
            )
        else:
            assert rows == {}


@pytest.mark.parametrize("family", [HOUR, DAY])
def test_an_hour_or_day_that_left_memory_comes_back_under_a_later_chapter(family: str) -> None:
    cells, campaigns = Cells(0, CALENDAR), CampaignRegistry(POLICY)
    stored: dict[tuple[str, int, int], int] = {}
    for version, at in ((1, 0), (2, 60_000), (9, 0), (10, 60_000)):
        cells.open_chapter(version)
        cells.forget_idle(version - 3)
        _touch(cells, campaigns, at)
        for key, row in _taken(cells, version).items():
            stored[key[0], key[3], row.chapter] = row.measures[TOUCHES]
    assert {key[2]: count for key, count in stored.items() if key[0] == family} == {1: 2, 9: 2}


def test_campaigns_keep_apart_in_minutes_before_1970() -> None:
    cells, campaigns = Cells(0, CALENDAR), CampaignRegistry(POLICY)
    for campaign in ("spring", "autumn", "winter"):
        _touch(cells, campaigns, -1, campaign=campaign)
    minutes = {key[1]: row.measures[TOUCHES] for key, row in _taken(cells).items() if key[0] == MINUTE}
    assert minutes == {"spring": 1, "autumn": 1, "winter": 1}


def test_a_sum_that_nears_64_bits_ends_its_chapter() -> None:
    cells, campaigns = Cells(0, CALENDAR), CampaignRegistry(POLICY)
    arm = campaigns.arm("spring", "a")
    stored: dict[int, int] = {}
    for version in range(1, 6):
        cells.open_chapter(version)
        cells.add_touch(arm, "A", 0, 1, FULL // 2, reaches_arm=False, reaches=False)
        row = _taken(cells, version)[TIER, "spring", "A", 0, 0]
        stored[row.chapter] = row.measures[COST]
    assert stored == {1: FULL, 3: FULL, 5: FULL // 2}
    assert sum(stored.values()) == 5 * (FULL // 2)
