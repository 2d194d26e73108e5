"""The arithmetic and the lines of the peers' measurements, apart from how they are taken."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final

from bench.figures import Row
from bench.peers.truth import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.figures import Throughput

STOCK_FAUST: Final = "stock Faust"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A peer's result.

    Attributes:
        speed: None = it did not come to an end.
        wrong: what differs from the right numbers, or why there is no result; empty = every number equal.
        load: processes that ran or wanted to, the minute before (`os.getloadavg`): above the number of processors,
            events a second mean little.
    """

    speed: Throughput | None
    wrong: tuple[str, ...]
    load: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        found: dict[str, Any] = {
            "equal": self.speed is not None and not self.wrong,
            "wrong": list(self.wrong),
            "load": self.load,
        }
        if self.speed is not None:
            found |= self.speed.as_json()
        return found


def peer_rows(broker: str, job: str, outcomes: Mapping[str, Outcome]) -> list[Row]:
    """Return one row per peer, dearest first, those without a result before all, each beside stock Faust.

    Compared is processor time: what is fetched before a clock begins, and other programs, make events a second waver.
    """
    base = outcomes[STOCK_FAUST].speed if STOCK_FAUST in outcomes else None
    rows = []
    for name, found in sorted(outcomes.items(), key=lambda item: _cost(item[1]), reverse=True):
        speed = found.speed
        if speed is None:
            rows.append(Row(f"{job} job: {name}", broker, "no result", "; ".join(found.wrong)))
            continue
        share = speed.cpu_microseconds / base.cpu_microseconds if base and speed is not base else None
        beside = "" if share is None else f"{share:.0%} of {STOCK_FAUST}'s CPU, "
        result = f"{speed.cpu_microseconds:.2f} µs CPU an event, {speed.rate:,.0f} events/s"
        rows.append(Row(f"{job} job: {name}", broker, result, beside + verdict(found.wrong)))
    return rows


def _cost(found: Outcome) -> float:
    return inf if found.speed is None else found.speed.cpu_microseconds
