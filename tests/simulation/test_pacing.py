from __future__ import annotations

from pipeline.simulation.pacing import paced
from pipeline.simulation.schedule import Due


class Clock:
    def __init__(self, now_ms: float) -> None:
        self.now_ms = now_ms
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now_ms

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_ms += seconds * 1000


def due(*times: int) -> list[Due]:
    return [Due(at, number, "topic", b"", b"") for number, at in enumerate(times)]


def test_overdue_events_come_without_a_pause() -> None:
    clock = Clock(5_000)
    assert [event.at_ms for event in paced(due(1_000, 2_000, 5_000), clock, clock.pause)] == [1_000, 2_000, 5_000]
    assert clock.pauses == []


def test_no_event_comes_before_it_is_due() -> None:
    clock = Clock(5_000)
    seen = [(event.at_ms, clock.now_ms) for event in paced(due(4_000, 5_250, 5_250, 7_000), clock, clock.pause)]
    assert seen == [(4_000, 5_000), (5_250, 5_250), (5_250, 5_250), (7_000, 7_000)]
    assert clock.pauses == [0.25, 1.75]


def test_a_pause_that_ends_early_is_taken_up_again() -> None:
    clock = Clock(0)

    def short(seconds: float) -> None:
        clock.pause(min(seconds, 0.3))

    assert [clock.now_ms for _ in paced(due(1_000), clock, short)] == [1_000]
    assert len(clock.pauses) == 4
