"""The peer libraries in use: learnt from the ledger's finished campaigns, or handed in from a warehouse's history.

Every library that was ever used is a row of table alert_peers with a version of its own: what a verdict rested on can
be looked up. Of a product's libraries the one that rests on more campaigns is used.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from pipeline.alerts.learning import PeerLibrary, generic_library, learn
from pipeline.alerts.statistics import HOUR_MS
from pipeline.alerts.teachers import learn_apart
from pipeline.error_words import describe as describe_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.statistics import FinishedCampaign

Source = Literal["ledger", "warehouse"]
LEDGER: Final[Source] = "ledger"
WAREHOUSE: Final[Source] = "warehouse"
_log = logging.getLogger(__name__)


class PeersPort(Protocol):
    """Where libraries are kept: `ClickHouseLedger`, or a fake."""

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        """Return the rows of a query."""

    def execute(self, name: str, **parameters: Any) -> None:
        """Run a statement."""


@dataclass(frozen=True, slots=True)
class KeptLibrary:
    """A library as it is kept, with where it comes from and since when."""

    source: Source
    library: PeerLibrary
    learnt_ms: int
    version: int


def read_libraries(port: PeersPort, told: set[int] | None = None) -> list[KeptLibrary]:
    """Return the newest library of every product, source and window; one that cannot be read counts as none.

    Args:
        port: where libraries are kept.
        told: the versions that the log has heard cannot be read; it hears of each once.
    """
    told = set() if told is None else told
    found: list[KeptLibrary] = []
    for product, source, _, _, body, learnt_ms, version in port.fetch("alert_peers"):
        try:
            found.append(KeptLibrary(source, PeerLibrary.from_json(body), learnt_ms, version))
        except (ValueError, TypeError, LookupError, AttributeError) as error:  # another version's shape
            if version not in told:
                _log.warning("the kept library of %s (%s) cannot be read: %s", product, source, describe_error(error))
            told.add(version)
    return found


def write_library(port: PeersPort, source: Source, library: PeerLibrary) -> None:
    """Keep a library as the newest of its product, source and window."""
    port.execute(
        "write_alert_peers",
        product=library.product,
        source=source,
        campaigns=library.campaigns,
        customers=library.customers,
        body=library.to_json(),
    )


class PeerShelf:
    """The libraries of one instance; asks ClickHouse when told to, and writes what it learns anew.

    ``version`` grows whenever answers may be other ones than before.
    """

    def __init__(self, port: PeersPort) -> None:
        self._port = port
        self._finished: tuple[FinishedCampaign, ...] = ()
        self._kept: dict[tuple[Source, str, float], PeerLibrary] = {}
        self._in_use: dict[tuple[str, float], PeerLibrary] = {}
        self._told: set[int] = set()
        self.version = 0

    def refresh(self, finished: Sequence[FinishedCampaign]) -> None:
        """Take the campaigns that are finished by now, and what a warehouse has handed in meanwhile.

        Args:
            finished: the same objects as before where nothing of a campaign has changed.
        """
        kept = {
            (one.source, one.library.product, one.library.window_hours): one.library
            for one in read_libraries(self._port, self._told)
        }
        if not _are_same(finished, self._finished) or kept != self._kept:
            self._in_use = {}
            self.version += 1
        self._finished, self._kept = tuple(finished), kept

    def library(self, product: str, window_hours: float) -> PeerLibrary:
        """Return what is known of a product; the same object for the same question until `refresh` finds news."""
        found = self._in_use.get((product, window_hours))
        if found is None:
            found = self._in_use[product, window_hours] = self._choose(product, window_hours)
        return found

    def _choose(self, product: str, window_hours: float) -> PeerLibrary:
        learnt = learn_apart(self._finished, product, window_hours)
        if learnt.campaigns and self._kept.get((LEDGER, product, window_hours)) != learnt:
            write_library(self._port, LEDGER, learnt)
            self._kept[LEDGER, product, window_hours] = learnt
        handed_in = self._kept.get((WAREHOUSE, product, window_hours), generic_library(product, window_hours))
        return handed_in if handed_in.campaigns > learnt.campaigns else learnt


def learn_from_warehouse(port: PeersPort, finished: Sequence[FinishedCampaign], plans: Iterable[CampaignPlan]) -> int:
    """Keep what a warehouse's finished campaigns teach, for every window that is in use; return how many libraries.

    Args:
        port: where libraries are kept.
        finished: of the warehouse.
        plans: the campaigns that are known: of their products, their windows are in use as well.
    """
    wanted = {(one.product, one.window_hours) for one in finished}
    wanted |= {(plan.product, plan.window_ms / HOUR_MS) for plan in plans}
    learnt = 0
    for product, window_hours in sorted(wanted):
        library = learn(finished, product, window_hours)
        if library.campaigns:
            write_library(port, WAREHOUSE, library)
            learnt += 1
    return learnt


def _are_same(some: Sequence[FinishedCampaign], others: Sequence[FinishedCampaign]) -> bool:
    return {id(one) for one in some} == {id(other) for other in others}
