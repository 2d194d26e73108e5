"""Dead letters of customers who were erased since: live keeps them, for they name nobody, and no replay has them.

Whose a dead letter was is not stored. Its record's key tells, as long as the topic holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.clickhouse import sql
from pipeline.errors import UserError
from pipeline.policies import policy_of
from pipeline.transport.ports import TP
from pipeline.transport.single_records import keys_at

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipeline.clickhouse.reader import Reader
    from pipeline.settings import Settings

MOST_LETTERS: Final = 2_000
"""So many keys are looked up; what differs beyond them is a difference."""

Place = tuple[str, int, int]  # topic, partition, offset


class ErasedCustomers:
    """Customers whom a run has erased, and which records are theirs.

    Args:
        reader: of the database.
        settings: where the topics are, and the pseudonyms' key.
        run: the run.

    Attributes:
        unread: why keys could not be looked up; '' where they could.
    """

    def __init__(self, reader: Reader, settings: Settings, run: str) -> None:
        database = settings.clickhouse_database
        self._settings = settings
        self.unread = ""
        self._before: dict[str, dict[tuple[str, int], int]] = {}
        for row in reader.rows(sql.query("erased_before", database), {"run": run}):
            before = self._before.setdefault(row["customer"], {})
            before[row["topic"], row["partition"]] = int(row["before"])
        rows = reader.rows(sql.query("recreated_shown", database), {"run": run})
        self._recreated = {TP(row["topic"], row["partition"]) for row in rows}

    def __len__(self) -> int:
        return len(self._before)

    def theirs(self, places: Collection[Place]) -> set[Place]:
        """Return the places of records that do not count because their customer is erased, or was until then."""
        # where a topic was made anew, another record may stand at the offset
        wanted = [place for place in places if TP(*place[:2]) not in self._recreated][:MOST_LETTERS]
        if not wanted or not self._before:
            return set()
        pseudonym = policy_of(self._settings).pseudonym
        try:
            keys = keys_at(self._settings, wanted)
        except UserError as error:
            self.unread = error.cause
            return set()
        return {
            place
            for place, key in keys.items()
            if key is not None and self._is_left_out(pseudonym(key.decode(errors="replace")).hex(), place)
        }

    def _is_left_out(self, customer: str, place: Place) -> bool:
        before = self._before.get(customer, {})
        topic, partition, offset = place
        return offset < max(before.get(("", 0), 0), before.get((topic, partition), 0))
