"""Looks for faults of the data: in the ledger's positions, halts and transactions, at the logs' ends, in costs."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol

import msgspec

from pipeline.alerts.backlog import Backlog
from pipeline.alerts.cost_faults import cost_faults
from pipeline.alerts.fault_history import Counts
from pipeline.alerts.fault_words import fault_text, young_text
from pipeline.alerts.faults import (
    STANDS_MS,
    FeedNote,
    Feeds,
    FeedWatch,
    Partition,
    Pulse,
    Settling,
    campaigns_of,
    durable_of,
    in_order,
)
from pipeline.alerts.looking import DataFaults
from pipeline.state.calendar import MINUTE_MS
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipeline.alert_settings import AlertSettings
    from pipeline.alerts.assembly import CampaignFacts
    from pipeline.alerts.fault_history import Ends
    from pipeline.alerts.faults import DataFault
    from pipeline.alerts.looking import Now
    from pipeline.alerts.record import Moment

_log = logging.getLogger(__name__)
_ASK_SECONDS: Final = 10.0
_WEEK_MS: Final = 7 * 86_400_000
_ABSENCE_SECONDS: Final = 60.0  # without a look: what feeds were like before says little
_RAISE_SECONDS: Final = 3.0
_RAISE_SHARE: Final = 0.6  # of the wall hold: what is at fault is said before anything may fire


@dataclass(frozen=True, slots=True)
class _KnownPulse:
    """A pulse, the number of transactions that it was known at, and when the ledger was asked for it."""

    accepted: int
    pulse: Pulse
    asked: float


class _Noted(msgspec.Struct, frozen=True):
    """A `FeedNote` as another process can read it: by everybody's clock."""

    samples: Annotated[list[tuple[int, int, int, int]], msgspec.Meta(min_length=1)]  # when (ms), and the counts
    is_flooded: bool


class FaultsPort(Protocol):
    """The ledger of a run."""

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        """Return the rows of a query of sql/queries."""


class LogEndsSource(Protocol):
    """Who looks where the logs end."""

    def newest(self) -> tuple[float, Ends] | None:
        """Return the newest answer of Kafka and when it came, by this process's clock; never waits for Kafka."""


class LedgerFaults:
    """Implements `pipeline.alerts.looking.Faults`. A look may raise LedgerUnavailableError and be repeated.

    Args:
        port: the ledger.
        settings: of alerts.
        facts: campaigns' facts by name, as far as they have been read.
        log_ends: where the logs end.
        clocks: everybody's and this process's.

    Attributes:
        noted: what an instance that takes over has to know of the feeds, as JSON values; any thread may read it.
    """

    def __init__(
        self,
        port: FaultsPort,
        settings: AlertSettings,
        facts: Callable[[Iterable[str]], Mapping[str, CampaignFacts]],
        log_ends: LogEndsSource,
        *,
        clocks: Callable[[], Moment],
    ) -> None:
        self._port = port
        self._settings = settings
        self._facts = facts
        self._log_ends = log_ends
        self._clocks = clocks
        self.noted: dict[str, Any] = {}
        self._begin({})
        self._backlog = Backlog()
        self._looked: float | None = None
        self._pulse: _KnownPulse | None = None
        self._known: dict[str, tuple[Any, Any, list[DataFault]]] = {}

    def _begin(self, notes: Mapping[str, FeedNote]) -> None:
        """Begin to watch: of what the feeds were like before nothing is known but what the newest records follow."""
        self._watch = FeedWatch(self._settings)
        if notes:
            self._watch.go_on_from(notes)
        raise_seconds = min(_RAISE_SECONDS, _RAISE_SHARE * self._settings.wall_hold_seconds)
        self._settling = Settling(raise_seconds, self._settings.lag_seconds)
        self._ends_at: float | None = None
        self._begun: float | None = None

    def go_on_from(self, noted: Mapping[str, Any]) -> None:
        """Go on from what the instance that decided before has `noted`; what is not of its shape says nothing."""
        try:
            told = msgspec.convert(noted, dict[str, _Noted])
        except msgspec.ValidationError as error:
            _log.warning("what the former instance has noted of the feeds cannot be read: %s", error)
            return
        if not told:
            return
        now = self._clocks()

        def seconds_of(at_ms: int) -> float:
            return now.seconds - (now.wall_ms - at_ms) / 1000

        self._begin(
            {
                topic: FeedNote(
                    tuple((seconds_of(at_ms), Counts(*counts)) for at_ms, *counts in one.samples), one.is_flooded
                )
                for topic, one in told.items()
            }
        )
        self._note()

    def _note(self) -> None:
        """Say what whoever takes over has to know."""
        now = self._clocks()

        def ms_of(seconds: float) -> int:
            return now.wall_ms - round((now.seconds - seconds) * 1000)

        self.noted = {
            topic: {
                "samples": [(ms_of(seconds), *counts) for seconds, counts in note.samples],
                "is_flooded": note.is_flooded,
            }
            for topic, note in self._watch.notes().items()
        }

    def wait(self) -> None:
        """Note how far the feeds are while there is nothing to judge yet."""
        self._note_ends()
        self._watch.counted(Feeds(self._clocks().seconds, self._partitions()))
        self._note()

    def is_backlog_read(self) -> bool:
        """Implements `pipeline.alerts.backlog.Reading`; what is noted of the feeds counts when it is looked again."""
        ends = self._note_ends()
        if ends is None or not self._backlog.may_be(ends):
            return False
        seconds, partitions = self._clocks().seconds, self._partitions()
        self._begun = seconds if self._begun is None else self._begun
        self._watch.counted(Feeds(seconds, partitions))
        self._note()
        return self._backlog.is_read(seconds, ends, durable_of(partitions))

    def faults(self, now: Now) -> DataFaults:
        """Return what is at fault."""
        seconds = self._clocks().seconds
        if self._looked is not None and seconds - self._looked > max(_ABSENCE_SECONDS, self._settings.lag_seconds):
            self._begin(self._watch.notes())  # another instance has decided meanwhile
        if self._begun is None:
            self._begun = seconds
        self._note_ends()
        facts = self._facts(now.plans)
        found = self._watch.look(self._feeds(seconds)) | self._of_campaigns(facts)
        self._looked = seconds
        self._note()
        with_costs = {name: bool(one.events) for name, one in facts.items()}
        settled = self._settling.settled(found, seconds)
        is_young = seconds - self._begun < self._settings.lag_seconds
        return DataFaults(
            faults=self._texts(settled, now, with_costs),
            doubts=self._texts(in_order(found.difference(settled)), now, with_costs),
            young=young_text(self._settings) if is_young else "",
        )

    def _note_ends(self) -> Ends | None:
        """Note where the logs end, as far as that is known, and return it."""
        newest = self._log_ends.newest()
        if newest is None:
            return None
        if newest[0] != self._ends_at:
            self._watch.log_ends(*newest)
            self._ends_at = newest[0]
        return newest[1]

    def _texts(
        self, faults: Iterable[DataFault], now: Now, with_costs: Mapping[str, bool]
    ) -> dict[str, tuple[str, ...]]:
        texts: dict[str, tuple[str, ...]] = {}
        for fault in faults:
            text = fault_text(fault, self._settings)
            for name in campaigns_of(fault, now.plans, with_costs):
                texts[name] = (*texts.get(name, ()), text)
        return texts

    def _feeds(self, seconds: float) -> Feeds:
        halted = frozenset(row[0] for row in self._port.fetch("alert_halted_topics"))
        feeds = Feeds(seconds, self._partitions(), halted)
        return replace(feeds, pulse=self._pulse_of(feeds))

    def _partitions(self) -> tuple[Partition, ...]:
        return tuple(Partition(*row) for row in self._port.fetch("alert_feeds"))

    def _pulse_of(self, feeds: Feeds) -> Pulse:
        """Return the pulse of the transactions, by their watermark as long as it is transactions that move it.

        The ledger is asked when it begins, and while others are ahead for long: a watermark also moves without any.
        """
        mark, others = feeds.watermark(TRANSACTIONS), feeds.watermark(TOUCHES, LOGINS)
        if mark is None:
            return Pulse(None, 0)
        accepted = feeds.counts()[TRANSACTIONS].accepted
        known = self._pulse
        if known is not None and accepted > known.accepted:
            known = replace(known, accepted=accepted, pulse=replace(known.pulse, last_ms=mark))
        is_ahead = known is None or known.pulse.last_ms is None or (others or mark) - known.pulse.last_ms > STANDS_MS
        if known is None or (is_ahead and feeds.seconds - known.asked >= _ASK_SECONDS):
            rows, minute, gap = self._port.fetch("alert_pulse", since=mark - _WEEK_MS)[0]
            pulse = Pulse(minute * MINUTE_MS if rows else None, gap * MINUTE_MS)
            known = _KnownPulse(accepted, pulse, feeds.seconds)
        self._pulse = known
        return known.pulse

    def _of_campaigns(self, facts: Mapping[str, CampaignFacts]) -> set[DataFault]:
        """Return campaigns' own faults; those whose touches and costs are the same objects need no second look."""
        found: set[DataFault] = set()
        for name, one in facts.items():
            known = self._known.get(name)
            if known is None or known[0] is not one.hours or known[1] is not one.events:
                known = (one.hours, one.events, cost_faults(one, self._settings.silent_cost_hours))
                self._known[name] = known
            found.update(known[2])
        return found
