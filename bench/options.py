"""The command line of `python -m bench`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast, get_args

from bench import flatness, peer_steps, peering
from bench.servers import Broker
from pipeline.simulation.mixes import MixName

if TYPE_CHECKING:
    from collections.abc import Iterable

PARTS: Final = (
    "throughput",
    "latency",
    "replay",
    "models",
    "processes",
    "flatness",
    "start",
    "whale",
    "families",
    "memory",
    "recovery",
    "judging",
    "alerts",
    "facts",
    "tick",
    "boards",
    "backtest",
    "peers",
)
_EVENTS: Final = 1_000_000
_QUICK_EVENTS: Final = 200_000


class Rate(NamedTuple):
    """How many events a second the latency is measured at: a number, or a share of the peak of that minute."""

    number: int = 0
    share: float = 0.0

    @classmethod
    def read(cls, word: str) -> Rate:
        """Read ``20000`` or ``50%``.

        Raises:
            ValueError: it is neither, or not above 0.
        """
        found = cls(share=float(word[:-1]) / 100) if word.endswith("%") else cls(number=int(word))
        if max(found) <= 0:
            raise ValueError(f"rate == {word!r}, must be above 0")
        return found

    def __str__(self) -> str:
        return f"{self.share:.0%} of the peak" if self.share else f"{self.number:,}/s"

    def of(self, peak: float) -> int:
        """Return events a second, given what a process reads at most."""
        return self.number or int(self.share * peak)


def default_parts() -> tuple[str, ...]:
    """Return every part but the peers where their engines are not installed."""
    return tuple(part for part in PARTS if part != "peers" or peering.installed())


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure this pipeline beside its peers on the same topics.",
        epilog="example: python -m bench --quick --brokers tansu",
    )
    _add_common(parser)
    _add_flatness(parser)
    _add_peers(parser)
    arguments = parser.parse_args(words)
    for option, known in (("brokers", get_args(Broker)), ("only", PARTS), ("mix", get_args(MixName))):
        given = getattr(arguments, option).split(",")
        if not set(given) <= set(known):
            parser.error(f"--{option} == {','.join(given)!r}, must be of {', '.join(known)}")
        setattr(arguments, option, given)
    arguments.events = arguments.events or (_QUICK_EVENTS if arguments.quick else _EVENTS)
    arguments.flat = {
        axis: getattr(arguments, axis) if getattr(arguments, axis) is not None else list(points)
        for axis, points in (flatness.QUICK_POINTS if arguments.quick else flatness.POINTS).items()
    }
    arguments.windows = arguments.windows or ([arguments.events] if arguments.quick else list(peer_steps.WINDOWS))
    return arguments


def _add_common(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--quick", action="store_true", help="less of everything; the ratios waver more")
    add("--brokers", default="tansu,kafka", help="tansu, kafka or both (default: both)")
    add("--events", type=int, help=f"events to read (default {_EVENTS:,}; quick: {_QUICK_EVENTS:,})")
    add("--mix", default="A", help="A: mostly logins, B: mostly money and touches, A,B: both (the peers: the first)")
    add(
        "--rate",
        type=_rates,
        default=[Rate(20_000)],
        help="events a second for the latency, or a share of the whole path's throughput on the same broker, measured "
        "right before each run, or several: 20000,50%% (default 20000)",
    )
    add(
        "--runs",
        type=_above_zero,
        default=1,
        help="how often latency, models and flatness are measured (default %(default)s)",
    )
    add("--only", default=",".join(default_parts()), help=f"parts to measure, of {', '.join(PARTS)}")
    add("--json", type=Path, help="where all results are kept as JSON too, each as soon as it is there")


def _add_flatness(parser: argparse.ArgumentParser) -> None:
    for axis, points in flatness.POINTS.items():
        parser.add_argument(
            f"--{axis}",
            type=sizes,
            help=f"numbers of {axis} that the flatness is measured over, '' = none (default {_listed(points)}; "
            f"quick: {_listed(flatness.QUICK_POINTS[axis])})",
        )
    parser.add_argument(
        "--known-each",
        type=float,
        default=flatness.KNOWN_EACH,
        help="events of each customer that the worker of the flatness has counted before (default %(default).0f)",
    )


def _listed(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))


def _add_peers(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--peer-seconds",
        type=float,
        default=peering.PEER_SECONDS,
        help="longest time of one peer (default %(default).0f)",
    )
    add(
        "--windows",
        type=sizes,
        help="events in the windows of ClickHouse alone (default 1000000,10000000,100000000; quick: --events)",
    )
    add(
        "--window-seconds",
        type=float,
        default=peer_steps.WINDOW_SECONDS,
        help="longest time of one window (default %(default).0f)",
    )


def sizes(words: str) -> list[int]:
    """Read numbers with commas between them."""
    return [int(word) for word in words.split(",") if word]


def brokers(arguments: argparse.Namespace) -> list[Broker]:
    """Return the brokers asked for."""
    return cast("list[Broker]", arguments.brokers)


def mixes(arguments: argparse.Namespace) -> list[MixName]:
    """Return the mixes asked for."""
    return cast("list[MixName]", arguments.mix)


def _rates(words: str) -> list[Rate]:
    return [Rate.read(word) for word in words.split(",")]


def _above_zero(word: str) -> int:
    number = int(word)
    if number < 1:
        raise ValueError(f"{word!r} must be above 0")
    return number
