from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import flatness
from bench.backlog import Backlog, await_visible, dozing, pause_seconds, read_backlog
from bench.figures import Throughput
from bench.flatness import Measured, Point, Size, options, spread
from bench.flatness_figures import flatness_rows
from bench.measuring import Measuring
from bench.options import parse
from bench.results import Results
from bench.workload import LedgerProgress
from pipeline.errors import UserError
from pipeline.settings import Settings
from pipeline.simulation.mixes import MixOptions, mix_events

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def measured(cpu_us: float) -> Measured:
    return Measured(Backlog(1_000_000, 1_000_000, 4.0, (cpu_us,)), Throughput(1_000_000, 3.0, 2.5))


def runs(*cpu_us: float) -> list[Measured]:
    return list(map(measured, cpu_us))


def positions(*done: int) -> LedgerProgress:
    answers = iter(done)

    class Progress(LedgerProgress):
        def __init__(self) -> None:
            pass

        def positions(self) -> tuple[float, dict[tuple[str, int], int]]:
            return time.monotonic(), {("logins", 0): next(answers)}

    return Progress()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEPER) as process:
        yield process
        process.kill()


def test_the_cost_of_a_backlog_is_that_of_all_its_events_and_its_rate_that_of_those_left_when_awake() -> None:
    backlog = Backlog(1_000, 900, 3.0, (0.001, 0.003))
    assert (backlog.cpu_microseconds, backlog.rate) == (4.0, 300.0)
    assert backlog.as_json()["cpu_seconds"] == [0.001, 0.003]


def test_backlogs_follow_each_other_at_the_density_of_each_customer() -> None:
    day_ms = 86_400_000
    for customers in (1_000, 50_000):
        first, second = (options(Point(customers), number, 2_000, 4_000) for number in (0, 2_000))
        assert second.begin_ms == first.begin_ms + first.span_ms
        assert first.events / first.customers / (first.span_ms / day_ms) == pytest.approx(10 / 7)
    ids = [value.split(b'"')[3] for part in (first, second) for _, _, value in mix_events(part)]
    assert len(set(ids)) == len(ids) == 4_000


def test_however_long_a_stream_is_all_of_it_is_past() -> None:
    ends = set()
    for stream in (10_000, 15_200_000):
        last = options(Point(), stream - 10_000, 10_000, stream)
        ends.add(last.begin_ms + last.span_ms)
    usual = MixOptions("A", 1, 1)
    assert ends == {usual.begin_ms + usual.span_ms}


def test_an_axis_is_told_by_its_dearest_point_beside_its_cheapest() -> None:
    rows = flatness_rows("tansu", "customers", {500: runs(3.0), 100: runs(2.0, 2.4, 2.6)}, {900: "no memory"})
    assert [(row.measured, row.result) for row in rows] == [
        ("100 customers", "2.40 µs CPU an event (2.00 to 2.60 in 3 runs)"),
        ("500 customers", "3.00 µs CPU an event"),
        ("900 customers", "not measured"),
        ("flatness from 100 to 500 customers", "dearest 1.25 times the cheapest"),
    ]
    assert rows[1].beside == "1.25 times the cheapest; bare getmany 2.50 µs; 250,000 events/s"
    assert (rows[2].beside, rows[3].beside) == ("no memory", "over the target of 1.15")
    within = flatness_rows("tansu", "partitions", {4: runs(2.0), 8: runs(2.3)}, {})
    assert within[-1].beside == "within the target of 1.15"


def test_one_point_alone_says_nothing_of_flatness() -> None:
    assert len(flatness_rows("tansu", "campaigns", {10: runs(2.0)}, {})) == 1
    with pytest.raises(ValueError, match="at least one"):
        spread([])


def test_points_take_turns_and_one_that_fails_costs_its_row_only(monkeypatch: pytest.MonkeyPatch) -> None:
    order = []

    def measure(_: str, point: Point, size: Size) -> Measured:
        assert (point.customers, size.events) == (100_000, 5_000)
        order.append(point.partitions)
        if point.partitions == 16:
            raise UserError("a worker stopped", "see its log")
        return measured(float(point.partitions))

    monkeypatch.setattr(flatness, "measure", measure)
    words = ["--only", "flatness", "--brokers", "kafka", "--events", "5000", "--runs", "2", "--partitions", "4,16,64"]
    steps = list(Measuring(parse([*words, "--customers", "", "--campaigns", ""]), Results()).steps())
    assert [name for name, _ in steps] == ["a worker with many partitions on kafka"]
    assert [row.result for row in steps[0][1]()] == [
        "4.00 µs CPU an event (4.00 to 4.00 in 2 runs)",
        "64.00 µs CPU an event (64.00 to 64.00 in 2 runs)",
        "not measured",
        "dearest 16.00 times the cheapest",
    ]
    assert order == [4, 16, 64, 4, 64]


@pytest.mark.process
def test_waiting_ends_with_the_answer_that_covers_all(sleeper: subprocess.Popen[bytes]) -> None:
    began = time.monotonic()
    assert began <= await_visible(positions(0, 5, 9, 10), [sleeper], 10) <= time.monotonic()


@pytest.mark.process
def test_a_backlog_of_refused_events_is_no_measurement(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = positions(0, 10)
    monkeypatch.setattr(progress, "refused", lambda: 3)
    monkeypatch.setattr("bench.backlog.LedgerProgress", lambda _: progress)
    monkeypatch.setattr("bench.backlog.fill", lambda *_: 10)
    with pytest.raises(UserError, match="3 of 10 events were refused"):
        read_backlog(Settings(pseudonym_key="k" * 40), [sleeper], 0, [])


@pytest.mark.process
def test_a_long_wait_asks_seldom_and_its_end_often() -> None:
    assert pause_seconds(0.0, 0, 1_000) == pause_seconds(2.0, 900, 100) == 0.1
    assert pause_seconds(2.0, 250, 750) == pytest.approx(0.9)
    assert pause_seconds(2.0, 1, 1_000_000) == 1.0


def test_waiting_for_a_worker_that_has_ended_says_how_far_it_came() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        with pytest.raises(UserError, match="stopped at 5 of 10 events"):
            await_visible(positions(5, 5), [process], 10)


@pytest.mark.process
def test_a_dozing_process_opens_its_eyes_now_and_then_and_goes_on_in_the_end(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.backlog._DOZE_SECONDS", 0.05)
    monkeypatch.setattr("bench.backlog._BLINK_SECONDS", 0.05)

    def state() -> str:
        return Path(f"/proc/{sleeper.pid}/stat").read_text().rpartition(")")[2].split()[0]

    with dozing([sleeper]):
        seen = []
        for _ in range(40):
            time.sleep(0.01)
            seen.append(state())
    assert sum(former == "T" != later for former, later in pairwise(seen)) >= 2
    deadline = time.monotonic() + 10
    while state() == "T" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert state() != "T"
