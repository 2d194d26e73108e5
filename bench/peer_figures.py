"""The arithmetic and the lines of the peers' measurements, apart from how they are taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.figures import Row
from bench.peers.truth import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.figures import Throughput

STOCK_FAUST: Final = "stock Faust"
REFRESH_SECONDS: Final = (1, 10, 60)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A peer's result.

    Attributes:
        speed: None = it did not come to an end.
        wrong: what differs from the right numbers, or why there is no result; empty = every number equal.
    """

    speed: Throughput | None
    wrong: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        found: dict[str, Any] = {"equal": self.speed is not None and not self.wrong, "wrong": list(self.wrong)}
        if self.speed is not None:
            found |= {
                "events": self.speed.events,
                "seconds": self.speed.seconds,
                "cpu_seconds": self.speed.cpu_seconds,
                "events_per_second": self.speed.rate,
                "cpu_microseconds_per_event": self.speed.cpu_microseconds,
            }
        return found


def peer_rows(broker: str, job: str, outcomes: Mapping[str, Outcome]) -> list[Row]:
    """Return one row per peer, slowest first, those without a result before all, each beside stock Faust."""
    base = outcomes[STOCK_FAUST].speed if STOCK_FAUST in outcomes else None
    rows = []
    for name, found in sorted(outcomes.items(), key=lambda item: item[1].speed.rate if item[1].speed else 0.0):
        speed = found.speed
        if speed is None:
            rows.append(Row(f"{job} job: {name}", broker, "no result", "; ".join(found.wrong)))
            continue
        times = f"{speed.rate / base.rate:.1f} times {STOCK_FAUST}, " if base and speed is not base else ""
        result = f"{speed.rate:,.0f} events/s, {speed.cpu_microseconds:.2f} µs CPU an event"
        rows.append(Row(f"{job} job: {name}", broker, result, times + verdict(found.wrong)))
    return rows


def overtaken_at(alone_us: float, refresh_us: float, own_us: float, every_seconds: float) -> float:
    """Return the window, in events, from which ClickHouse alone takes in fewer events a second than we do.

    Out of each period of T seconds of a processor it spends ``refresh_us`` × window at the refresh and has the rest for
    taking in, at ``alone_us`` an event; we spend ``own_us`` an event and nothing at a refresh. The two are equal at
    T × (1 - alone / own) / refresh. Below 0 = it is never faster.

    Args:
        alone_us: its processor time of taking in one event, in microseconds.
        refresh_us: its processor time at a refresh by event in the window.
        own_us: ours of one event, microseconds.
        every_seconds: T.
    """
    return every_seconds * 1e6 * (1 - alone_us / own_us) / refresh_us


def refresh_us(found: Mapping[str, Any], *, parts: Sequence[str] = ("credit", "spend", "active")) -> float:
    """Return a refresh's processor time in microseconds by event in the window."""
    return float(sum(found["refresh"][part]["cpu_seconds"] for part in parts) / found["window"] * 1e6)


def alone_rows(windows: Sequence[Mapping[str, Any]], own_us: float) -> list[Row]:
    """Return one row per window of ClickHouse alone, and one per period of refreshing.

    Args:
        windows: what `bench.peers.clickhouse_alone` printed, each window once.
        own_us: our processor time of one event, of the same run.
    """
    rows = []
    for found in windows:
        taken = found["taken"]["cpu_seconds"] / found["parsed"] * 1e6
        each = ", ".join(f"{part} {cost['seconds']:.2f} s" for part, cost in found["refresh"].items())
        cpu = sum(cost["cpu_seconds"] for cost in found["refresh"].values())
        rows.append(
            Row(
                f"ClickHouse alone, {found['window']:,} events",
                "-",
                f"{taken:.2f} µs CPU an event, {cpu:.2f} s CPU a refresh",
                f"{each}; {verdict(found['wrong'])}",
            )
        )
    largest = max(windows, key=lambda found: int(found["window"]))
    taken = largest["taken"]["cpu_seconds"] / largest["parsed"] * 1e6
    for seconds in REFRESH_SECONDS:
        size, without = (
            overtaken_at(taken, refresh_us(largest, parts=parts), own_us, seconds)
            for parts in (("credit", "spend", "active"), ("credit", "spend"))
        )
        rows.append(
            Row(
                f"ClickHouse alone, refreshed every {seconds} s",
                "-",
                f"slower than us from {max(0.0, size):,.0f} events on",
                f"without MAU from {max(0.0, without):,.0f}; ours taken as {own_us:.2f} µs CPU an event",
            )
        )
    return rows
