from __future__ import annotations

import signal
import subprocess
import sys
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, strategies

from pipeline.state.calendar import DAY_MS, MINUTE_MS
from pipeline.state.rows import FULL, CellMeasure
from tests.native.cells import MODELS, STEPS, BothCells, Row, Step
from tests.state.rules import PROPERTY
from tests.support.depth import depth

pytestmark = pytest.mark.usefixtures("native_core")
ZONES: Final = ("America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "UTC")
# the epoch, changes of New York's clock (twice in 2026; in 1883 from 4:56:02 behind to 5:00), and a day like others
MOMENTS: Final = (0, 1_772_953_200_000, 1_793_512_800_000, -2_717_650_800_000, 1_772_323_200_000)
MOST: Final = (1 << 63) - 1  # what one event can bring: the contract's most is 10^15, of which a block may have many
MONEY: Final = (0, 1, 3, 10**15, FULL // 2, FULL - 1, FULL, MOST)
# the same minute, the one before, other quarters, hours and days: few, so that cells are met again
AROUND: Final = (0, 0, 1, -1, -MINUTE_MS, 15 * MINUTE_MS, -30 * MINUTE_MS, 90 * MINUTE_MS, -DAY_MS)


def steps() -> strategies.SearchStrategy[Step]:
    return strategies.builds(
        Step,
        kind=strategies.sampled_from(STEPS),
        model=strategies.integers(0, 2),
        campaign=strategies.sampled_from(("spring", "autumn")),
        variant=strategies.sampled_from(("a", "control", None)),
        tier=strategies.sampled_from(("unknown", "gold", "")),
        at=strategies.builds(int.__add__, strategies.sampled_from(MOMENTS), strategies.sampled_from(AROUND)),
        lag_ms=strategies.sampled_from((0, 1, DAY_MS - 1, DAY_MS, 40 * DAY_MS)),
        sign=strategies.sampled_from((1, -1)),
        money=strategies.sampled_from(MONEY + tuple(-each for each in MONEY)),
        assets=strategies.sampled_from(MONEY),
        reaches_arm=strategies.booleans(),
        reaches=strategies.booleans(),
        versions=strategies.integers(1, 3),
    )


@PROPERTY
@given(strategies.lists(steps(), max_size=60), strategies.sampled_from(ZONES), strategies.integers(1, len(MODELS)))
def test_both_cores_write_the_same_cells_in_each_block(story: list[Step], zone: str, models: int) -> None:
    for plain, native in BothCells(zone, MODELS[:models]).play(story):
        assert native == plain


def test_an_hour_may_begin_within_a_quarter_that_belongs_to_the_hour_before() -> None:
    before_zones = -2_717_650_800_000 - 30 * DAY_MS  # New York's clock was 4:56:02 behind
    # two o'clock (UTC) is in the hour that began at 1:56:02, in the quarter of 1:45, which is of the one of 0:56:02
    story = [Step("touch", at=before_zones + minutes * MINUTE_MS) for minutes in (120, 105)]
    for plain, native in BothCells("America/New_York").play(story):
        assert native == plain


@pytest.mark.parametrize("money", [FULL, FULL - 1, -FULL, 1 - FULL, MOST, -MOST])
@pytest.mark.parametrize("times", [1, 2, 3, 4, 7])
def test_the_bounds_of_a_chapter_and_of_a_row_are_those_of_the_plain_core(money: int, times: int) -> None:
    credit = Step("credit", money=money, lag_ms=DAY_MS)
    story = [*[credit] * times, Step("drain"), credit._replace(money=1)]
    for plain, native in BothCells().play(story):
        assert native == plain


@pytest.mark.parametrize("idle", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("again", [0, 60_000, 3_600_000])
def test_cells_leave_memory_in_the_same_block_as_those_of_the_plain_core(idle: int, again: int) -> None:
    first, second = Step("touch", at=0, money=1), Step("touch", at=again, money=1)
    story = [Step("open_chapter", versions=2), first, Step("drain", versions=3), second, Step("drain", versions=2)]
    story += [Step("open_chapter"), Step("forget_idle", versions=idle), first, Step("drain"), second]
    for plain, native in BothCells().play(story):
        assert native == plain


def busy(random: Random, count: int) -> list[Step]:
    """Return steps of many campaigns in the order of time, with late ones; now and then a block, or idle cells go."""
    found = []
    for number in range(count):
        now = MOMENTS[1] - DAY_MS + number * 2_000 * 86_400 // count * 1_000
        kind = random.choice(STEPS[:5]) if random.random() > 0.02 else random.choice(STEPS[5:])
        found.append(
            Step(
                kind,
                random.randrange(3),
                f"campaign {random.randrange(40)}",
                random.choice(("a", "b", None)),
                f"tier {random.randrange(20)}",
                now - (random.randrange(3 * DAY_MS) if random.random() < 0.1 else random.randrange(MINUTE_MS)),
                random.randrange(30 * DAY_MS),
                random.choice((1, 1, 1, -1)),
                random.choice(MONEY[:4]),
                random.choice(MONEY[:4]),
                random.random() < 0.3,
                random.random() < 0.3,
                random.choice((1, 1, 2)),
            )
        )
    return found


@pytest.mark.parametrize("seed", range(depth(6)))
def test_cells_of_many_campaigns_come_and_go_as_in_the_plain_core(seed: int) -> None:
    written = BothCells("America/New_York", MODELS).play(busy(Random(seed), 3_000))
    assert sum(len(plain) for plain, _ in written) > 5_000
    for plain, native in written:
        assert native == plain


def costs(rows: list[Row], kind: str) -> dict[tuple[str, int], int]:
    """Return the cost by part and chapter of a family's rows."""
    named: list[dict[str, Any]] = [dict(row) for row in rows]
    part = "other_id" if kind == "hour" else "id"
    return {
        (row[part], row["chapter"]): row["measures"][CellMeasure.COST_MINOR] for row in named if row["kind"] == kind
    }


@pytest.mark.parametrize("kind", ["tier", "variant", "minute", "cohort", "hour", "day"])
def test_what_one_block_adds_beyond_64_bits_is_written_in_parts_and_ends_the_chapter(kind: str) -> None:
    touch = Step("touch", money=MOST)
    (_, first), (_, second) = BothCells().play([touch] * 25 + [Step("drain"), touch])
    parts = costs(first, kind)
    assert sum(parts.values()) == 25 * MOST
    assert set(parts) == {("", 0), *((str(part), 0) for part in range(1, 50))}
    assert costs(second, kind) == {("", 2): MOST}


def test_an_instant_whose_day_nobody_has_told_stops_the_process() -> None:
    program = """
from tests.native.cells import BothCells, Step, counting
from pipeline.native.people import People
people = People(125)
BothCells().play([Step("touch", reaches=True)])
core = counting()
core.shard_add_label(people.handle, b"", 0)
core.shard_define_campaign(people.handle, 0, 1, 0, 0, (__import__("ctypes").c_int64 * 12)(), True, b"spring", 6)
core.shard_add_arm(people.handle, 0, False, b"a", 1)
core.count_touch(people.handle, 0, 0, 0, 1, 0, False, False)
print("counted", flush=True)
core.count_touch(people.handle, 0, 0, 0, 1, 0, False, True)
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (-signal.SIGABRT, "counted\n")
