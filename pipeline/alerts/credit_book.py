"""The deciding model's credits of all campaigns in memory: a block changes some, and only those are read.

Credits are found by 128 bits of hash of what tells their rows apart, which no two of them share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipeline.alerts.conversions import CHANGES, NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.alerts.conversions import Changes
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
    ]
)
Credits = np.ndarray[Any, np.dtype[np.void]]
_FEW: Final = 64  # up to so many keys are compared one by one, which is quicker than sorting all


class CreditBook:
    """Credits by campaign.

    Args:
        splits: whether a transaction may be credited to several touches.
    """

    def __init__(self, *, splits: bool) -> None:
        self._splits = splits
        self._credits: dict[str, Credits] = {}

    def size(self, name: str) -> int:
        """Return how many credits a campaign has."""
        return len(self._credits.get(name, ()))

    def enter(self, name: str, found: Credits) -> None:
        """Take all of a campaign's credits in the place of what was known."""
        self._credits[name] = found.copy()

    def change(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        """Take some of a campaign's credits as they stand now (rows of alert_new_credits, without the campaign)."""
        known = self._credits.get(name)
        if known is None:
            return  # about to be read as a whole
        now = {(row[0], row[1]): row for row in rows}
        keys = np.array([key for key, _ in now], np.uint64)
        hits = np.flatnonzero(_among(known["key"], keys))
        replaced = [place for place in hits.tolist() if (int(known["key"][place]), int(known["key2"][place])) in now]
        left = np.delete(known, replaced) if replaced else known
        new = [
            (0, *row[:5], row[5], row[6][3], row[6][1], row[7], row[6][0] == 0)
            for row in now.values()
            if row[6][4 if len(row[6]) > 4 else 0]
        ]
        self._credits[name] = np.concatenate([left, np.array(new, CREDITS)])

    def late(self, name: str, transactions: Keys) -> Credits:
        """Return the credits of some transactions, by the hash of shard and id."""
        known = self._credits[name]
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
        known = self._credits[name]
        is_later = known["converted_at"] > instant
        later: Integers = np.unique(known["converted_at"][is_later])
        chosen = known[~(is_later | _among(known["transaction"], without))]
        return (_grouped if self._splits else _single)(chosen, place), later


def _among(keys: Keys, wanted: Keys) -> Booleans:
    found = np.zeros(len(keys), bool)
    if len(wanted) > _FEW:
        return np.isin(keys, wanted)
    for one in wanted:
        found |= keys == one
    return found


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


def by_campaign(rows: Sequence[Sequence[Any]]) -> Mapping[str, list[Sequence[Any]]]:
    """Return rows of alert_new_credits by campaign, without it."""
    found: dict[str, list[Sequence[Any]]] = {}
    for name, *row in rows:
        found.setdefault(name, []).append(row)
    return found
