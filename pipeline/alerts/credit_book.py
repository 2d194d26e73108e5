"""The deciding model's credits of all campaigns in memory: a block changes some, and only those are read.

Credits are found by 128 bits of hash of what tells their rows apart, which no two of them share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipeline.alerts.conversions import CHANGES, KINDS, NEVER
from pipeline.alerts.reading import chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.alerts.conversions import Changes
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.statistics import Booleans, Integers

    Keys = NDArray[np.uint64]

CREDITS: Final = np.dtype(
    [
        ("place", "<u4"),
        ("key", "<u8"),
        ("key2", "<u8"),
        ("transaction", "<u8"),
        ("customer", "<u8"),
        ("customer2", "<u8"),
        ("converted_at", "<i8"),
        ("touched_at", "<i8"),
        ("returned", "<i8"),
        ("kind", "u1"),
        ("eaten", "u1"),
        ("booked", "u1"),  # whether there is such a credit at all
        ("version", "<u8"),
    ]
)
Credits = np.ndarray[Any, np.dtype[np.void]]
NewCredits = tuple[Sequence[str], Credits]
"""Campaigns, and rows of theirs (`CREDITS`) by their places."""
_FEW: Final = 64  # up to so many keys are compared one by one, which is quicker than sorting all


def read_new_credits(
    port: FactsPort, names: Sequence[str], *, shards: Sequence[int], since: Sequence[int], oldest: int
) -> list[NewCredits]:
    """Return what blocks after a version of each shard have made of campaigns' credits."""
    found: list[NewCredits] = []
    for chunk in chunks(names):
        about = {"campaigns": chunk, "kinds": list(KINDS), "shards": shards, "since": since, "oldest": oldest}
        found.append((chunk, port.records("alert_new_credits", CREDITS, **about)))
    return found


class CreditBook:
    """Credits by campaign.

    What blocks tell is put aside, and takes the place of what was known once somebody asks for the campaign: a stream
    changes some credits of every campaign with each look, and is counted once a minute.

    Args:
        splits: whether a transaction may be credited to several touches.
    """

    def __init__(self, *, splits: bool) -> None:
        self._splits = splits
        self._credits: dict[str, Credits] = {}
        self._newer: dict[str, list[Credits]] = {}

    def size(self, name: str) -> int:
        """Return how many credits a campaign has, those twice that blocks have told anew and nobody asked for since."""
        return len(self._credits.get(name, ())) + sum(map(len, self._newer.get(name, ())))

    def enter(self, name: str, found: Credits) -> None:
        """Take all of a campaign's credits (`CREDITS`) in the place of what was known."""
        self._credits[name] = found.copy()
        self._newer[name] = []

    def change(self, names: Sequence[str], found: Credits) -> None:
        """Take what blocks have made of some campaigns' credits, as `read_new_credits` returns it."""
        places = found["place"].astype(np.uint16)  # of `CHUNK` campaigns at most; numpy sorts 16 bits by counting
        order = np.argsort(places, kind="stable")
        by_place = found[order]
        bounds = np.searchsorted(places[order], np.arange(len(names) + 1))
        for place, name in enumerate(names):
            if name in self._credits and bounds[place] < bounds[place + 1]:  # else it is about to be read as a whole
                self._newer[name].append(by_place[bounds[place] : bounds[place + 1]])

    def _known(self, name: str) -> Credits:
        """Return the credits of a campaign as its newest blocks have them."""
        if newer := self._newer[name]:
            newest = _newest(np.concatenate([self._credits[name], *newer]))
            self._credits[name] = newest[newest["booked"] == 1]
            self._newer[name] = []
        return self._credits[name]

    def late(self, name: str, transactions: Keys) -> Credits:
        """Return the credits of some transactions, by the hash of shard and id."""
        known = self._known(name)
        found: Credits = known[_among(known["transaction"], transactions)]
        return found

    def changes(self, name: str, place: int, instant: int, without: Keys) -> tuple[Changes, Integers]:
        """Return what had occurred of a campaign by an instant, and the times of what is later.

        Args:
            name: the campaign.
            place: the row of the changes.
            instant: t.
            without: transactions that are told apart, by hash: they are reversed after the instant.
        """
        known = self._known(name)
        is_later = known["converted_at"] > instant
        later: Integers = np.unique(known["converted_at"][is_later])
        left_out = is_later | _among(known["transaction"], without)
        chosen = known[~left_out] if left_out.any() else known
        return (_grouped if self._splits else _single)(chosen, place), later


def _among(keys: Keys, wanted: Keys) -> Booleans:
    if len(wanted) > _FEW:  # a quarter to a half of what numpy's isin takes
        ordered = np.sort(wanted)
        is_there: Booleans = ordered[np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)] == keys
        return is_there
    found = np.zeros(len(keys), bool)
    for one in wanted:
        found |= keys == one
    return found


def _newest(found: Credits) -> Credits:
    """Return each of a campaign's credits as its newest block has it, in any order."""
    keys = np.ascontiguousarray(found["key"])
    order = np.argsort(keys)
    is_shared = keys[order[1:]] == keys[order[:-1]]
    if not is_shared.any():
        return found
    is_single = np.ones(len(found), bool)  # no other row has half its key: of most there is one
    is_single[order[1:][is_shared]] = is_single[order[:-1][is_shared]] = False
    others = found[~is_single]
    others = others[np.lexsort((others["version"], others["key2"], others["key"]))]
    is_last = np.ones(len(others), bool)
    is_last[:-1] = (others["key"][1:] != others["key"][:-1]) | (others["key2"][1:] != others["key2"][:-1])
    return np.concatenate([found[is_single], others[is_last]])


def _single(credits_now: Credits, place: int) -> Changes:
    found = np.empty(len(credits_now), CHANGES)
    for name in ("customer", "customer2", "converted_at", "touched_at", "returned", "kind"):
        found[name] = credits_now[name]
    found["row"], found["arrived"], found["at"] = place, 1, credits_now["converted_at"]
    found["eaten_at"] = np.where(credits_now["eaten"] == 1, credits_now["converted_at"], NEVER)
    return found


def _grouped(credits_now: Credits, place: int) -> Changes:
    """Return a row a transaction, which several touches of a campaign may share; its id may be that of another, too."""
    if not len(credits_now):
        return np.empty(0, CHANGES)
    ordered = credits_now[np.lexsort((credits_now["converted_at"], credits_now["transaction"]))]
    is_other = np.zeros(len(ordered) - 1, bool)
    for name in ("transaction", "converted_at"):
        is_other |= ordered[name][1:] != ordered[name][:-1]
    starts = np.flatnonzero(np.append(True, is_other))
    found = _single(ordered[starts], place)
    found["touched_at"] = np.minimum.reduceat(ordered["touched_at"], starts)
    found["returned"] = np.add.reduceat(ordered["returned"], starts)
    return found
