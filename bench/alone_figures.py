"""The arithmetic of ClickHouse alone: what a refresh costs by window, and from which window on it is slower than us."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, Any, Final

from bench.figures import Row
from bench.peers.truth import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REFRESH_SECONDS: Final = (1, 10, 60)
PARTS: Final = ("credit", "spend", "active")
WITHOUT_MAU: Final = ("credit", "spend")


@dataclass(frozen=True, slots=True)
class Crossover:
    """The window, in events, from which ClickHouse alone takes in fewer events a second than we do.

    Attributes:
        events: interpolated between the two measured windows around it; None = outside of what was measured.
        above: a measured window below which it does not lie; None = below the smallest.
        below: a measured window above which it does not lie; None = above the largest.
    """

    events: float | None
    above: int | None
    below: int | None

    def __str__(self) -> str:
        if self.events is not None:
            return f"slower than us from {self.events:,.0f} events on"
        if self.above is not None:
            return f"faster than us up to {self.above:,} events, the largest measured"
        if self.below is not None:
            return f"slower than us at {self.below:,} events already, the smallest measured"
        return "not measured"


def taken_us(found: Mapping[str, Any]) -> float:
    """Return the processor time of taking in one event as JSON, in microseconds."""
    return float(found["taken"]["cpu_seconds"] / found["parsed"] * 1e6)


def points(windows: Sequence[Mapping[str, Any]], parts: Sequence[str] = PARTS) -> list[tuple[int, float]]:
    """Return window and processor seconds of a refresh, smallest first, where all of these parts were measured."""
    return sorted(
        (int(found["window"]), sum(found["refresh"][part]["cpu_seconds"] for part in parts))
        for found in windows
        if "refresh" in found and all("cpu_seconds" in found["refresh"][part] for part in parts)
    )


def spare_seconds(alone_us: float, own_us: float, every_seconds: float) -> float:
    """Return how much processor time a period may spend on its refresh for both to take in as many events.

    Of each period of T seconds of a processor ClickHouse alone spends some at the refresh and has the rest for taking
    in, at ``alone_us`` an event; we spend ``own_us`` an event and nothing at a refresh. Equal at T × (1 - alone / own).
    """
    return every_seconds * (1 - alone_us / own_us)


def crossover(measured: Sequence[tuple[int, float]], spare: float) -> Crossover:
    """Return the window whose refresh costs ``spare`` processor seconds, between the two measured ones around it.

    Both are taken by their logarithms, as windows lie a power of ten apart: the cost grows by a power of the window.

    Args:
        measured: window and processor seconds (above 0) of a refresh, smallest window first.
        spare: of `spare_seconds`; 0 or less = taking in alone is dearer than we are.
    """
    if not measured:
        return Crossover(None, None, None)
    if spare <= measured[0][1]:
        return Crossover(None, None, measured[0][0])
    for (small, cheap), (large, dear) in pairwise(measured):
        if cheap <= spare <= dear:
            share = log(spare / cheap) / log(dear / cheap) if dear > cheap else 0.0
            return Crossover(small * (large / small) ** share, small, large)
    return Crossover(None, measured[-1][0], None)


def crossovers(windows: Sequence[Mapping[str, Any]], own_us: float) -> list[dict[str, Any]]:
    """Return the crossover by period of refreshing, with MAU and without, as plain values."""
    taken = max((found for found in windows if "taken" in found), key=lambda found: int(found["window"]), default=None)
    if taken is None:
        return []
    found = []
    for seconds in REFRESH_SECONDS:
        spare = spare_seconds(taken_us(taken), own_us, seconds)
        entry: dict[str, Any] = {"every_seconds": seconds, "spare_cpu_seconds": spare}
        for name, parts in (("all", PARTS), ("without_mau", WITHOUT_MAU)):
            at = crossover(points(windows, parts), spare)
            entry[name] = {"events": at.events, "above": at.above, "below": at.below}
        found.append(entry)
    return found


def alone_rows(windows: Sequence[Mapping[str, Any]], own_us: float) -> list[Row]:
    """Return one row per window of ClickHouse alone, and one per period of refreshing.

    Args:
        windows: what `bench.peers.clickhouse_alone` printed, each window once; or its size and why it has no result.
        own_us: our processor time of one event, of the same run.
    """
    rows = [_window_row(found) for found in windows]
    for entry in crossovers(windows, own_us):
        size, without = Crossover(**entry["all"]), Crossover(**entry["without_mau"])
        beside = f"without MAU {without}; ours taken as {own_us:.2f} µs CPU an event"
        rows.append(Row(f"ClickHouse alone, refreshed every {entry['every_seconds']} s", "-", str(size), beside))
    return rows


def _window_row(found: Mapping[str, Any]) -> Row:
    name = f"ClickHouse alone, {found['window']:,} events"
    if "refresh" not in found:
        return Row(name, "-", f"not measured: {found['why']}")
    costs = found["refresh"]
    each = [
        f"{part} not measured: {cost['why']}" if "why" in cost else f"{part} {cost['seconds']:.2f} s"
        for part, cost in costs.items()
    ]
    cpu = sum(cost.get("cpu_seconds", 0.0) for cost in costs.values())
    whole = "a refresh" if all("cpu_seconds" in cost for cost in costs.values()) else "what was measured of a refresh"
    result = f"{taken_us(found):.2f} µs CPU an event, {cpu:.2f} s CPU {whole}"
    return Row(name, "-", result, f"{', '.join(each)}; {verdict(found['wrong'])}")
