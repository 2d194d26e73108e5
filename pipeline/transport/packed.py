"""Records as they came: one buffer, and columns that say where keys and values lie in it.

A batch of them makes Python's lists when somebody asks for them; a compiled reader takes buffer and columns instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipeline.transport.ports import RecordBatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

NULL: Final = 0xFFFFFFFF  # a length that says: no key, or no value
MOST_BYTES: Final = 1 << 30  # of a buffer, so that every place in some that are joined fits its column
# struct packed_record (native/core.h)
RECORD: Final = np.dtype(
    [
        ("offset", "<i8"),
        ("timestamp", "<i8"),
        ("key_begin", "<u4"),
        ("key_length", "<u4"),
        ("value_begin", "<u4"),
        ("value_length", "<u4"),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Records, oldest first.

    Attributes:
        texts: what keys and values lie in, among bytes that belong to neither.
        rows: of `RECORD`; a begin means nothing where the length is `NULL`.
    """

    texts: bytes
    rows: npt.NDArray[np.void]

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, start: int, end: int) -> Packed:
        """Return the records in [start, end), in the same buffer."""
        return Packed(self.texts, self.rows[start:end])

    def record(self, place: int) -> tuple[bytes | None, bytes | None]:
        """Return one record's key and value."""
        return self.part(place, place + 1).column("key")[0], self.part(place, place + 1).column("value")[0]

    def column(self, name: str) -> list[bytes | None]:
        """Return the keys ("key") or the values ("value")."""
        texts = self.texts
        begins, lengths = self.rows[f"{name}_begin"].tolist(), self.rows[f"{name}_length"].tolist()
        return [
            None if length == NULL else texts[begin : begin + length]
            for begin, length in zip(begins, lengths, strict=True)
        ]


def packed(records: Sequence[Any]) -> Packed:
    """Return records of aiokafka in the packed form."""
    rows = np.zeros(len(records), RECORD)
    texts: list[bytes] = []
    at = 0
    rows["offset"] = [record.offset for record in records]
    rows["timestamp"] = [-1 if record.timestamp is None else record.timestamp for record in records]
    for name in ("key", "value"):
        found = [getattr(record, name) for record in records]
        lengths = [0 if text is None else len(text) for text in found]
        rows[f"{name}_length"] = [NULL if text is None else len(text) for text in found]
        rows[f"{name}_begin"] = at + np.cumsum([0, *lengths])[:-1]
        texts += [text for text in found if text is not None]
        at += sum(lengths)
    return Packed(b"".join(texts), rows)


def joined(parts: Sequence[Packed]) -> Packed:
    """Return the parts one after another."""
    if len(parts) == 1:
        return parts[0]
    rows = np.frombuffer(bytearray().join([part.rows.tobytes() for part in parts]), RECORD)  # concatenate() is slow
    places: dict[int, int] = {}  # where a buffer begins among all, by its identity: parts of one fetch share theirs
    texts: list[bytes] = []
    at = 0
    begins: list[int] = []
    for part in parts:
        place = places.get(id(part.texts))
        if place is None:
            place = places[id(part.texts)] = at
            texts.append(part.texts)
            at += len(part.texts)
        begins.append(place)
    # one addition for all: producers that wait little write record batches of few records
    moved_by = np.repeat(np.array(begins, np.uint32), [len(part) for part in parts])
    rows["key_begin"] += moved_by
    rows["value_begin"] += moved_by
    return Packed(texts[0] if len(texts) == 1 else b"".join(texts), rows)


class PackedBatch(RecordBatch):
    """A batch whose records are packed; its lists are made when somebody asks for them, once.

    `dataclasses.replace` does not apply to it: the lists are no fields here.
    """

    packed: Packed

    def __init__(  # noqa: PLR0913 - the fields of a batch, with its records in one
        self,
        topic: str,
        partition: int,
        records: Packed,
        next_offset: int,
        *,
        end_offset: int,
        fetched_at: float,
        partition_count: int,
        refusals: Mapping[int, tuple[str, str]],
    ) -> None:
        given = {
            "topic": topic,
            "partition": partition,
            "packed": records,
            "next_offset": next_offset,
            "end_offset": end_offset,
            "fetched_at": fetched_at,
            "partition_count": partition_count,
            "refusals": refusals,
        }
        # as a frozen dataclass sets its own fields
        for name, value in given.items():
            object.__setattr__(self, name, value)

    @cached_property
    def offsets(self) -> list[int]:
        """The records' offsets."""
        found: list[int] = self.packed.rows["offset"].tolist()
        return found

    @cached_property
    def timestamps(self) -> list[int]:
        """The records' timestamps."""
        found: list[int] = self.packed.rows["timestamp"].tolist()
        return found

    @cached_property
    def keys(self) -> list[bytes | None]:
        """The records' keys."""
        return self.packed.column("key")

    @cached_property
    def values(self) -> list[bytes | None]:
        """The records' values."""
        return self.packed.column("value")

    @property
    def stamped(self) -> tuple[int, int] | None:
        """Kafka timestamps of the first and the last record, of which alone no list is made."""
        stamps = self.packed.rows["timestamp"]
        return (int(stamps[0]), int(stamps[-1])) if len(stamps) else None

    def __len__(self) -> int:
        return len(self.packed)

    def part(self, start: int, end: int) -> PackedBatch:
        """Return the records in [start, end), in the same buffer."""
        following = self.packed.rows["offset"][end:]
        return PackedBatch(
            self.topic,
            self.partition,
            self.packed.part(start, end),
            int(following[0]) if len(following) else self.next_offset,
            end_offset=self.end_offset,
            fetched_at=self.fetched_at,
            partition_count=self.partition_count,
            refusals=self.refusals,
        )
