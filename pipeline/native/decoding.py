"""Records of the customer lane's topics to rows of the compiled core.

The scanner (native/scan.c) takes the records that it is sure of; the others go the plain way, so that the pydantic
models keep the last word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, Self

import numpy as np

from pipeline.native.library import library
from pipeline.native.rows import EventRows, LoginRows, TouchRows, TransactionRows, move_texts
from schemas.decode import Decoded, decode
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from pipeline.native.rows import Array
    from pipeline.state.policy import Policy

    Record = tuple[bytes | None, bytes | None]  # key, value
    Numbers = npt.NDArray[np.uint32]

_MOST_BYTES: Final = 1 << 31  # of a batch; a fetch holds a few MB


class Packed(Protocol):
    """Records as they came from a broker: `pipeline.transport.packed.Packed`."""

    @property
    def texts(self) -> bytes:
        """What keys and values lie in."""

    @property
    def rows(self) -> Array:
        """A `struct packed_record` of native/core.h each."""

    def record(self, place: int) -> Record:
        """Return one record's key and value."""


class Batch(NamedTuple):
    """Records in one buffer, keys and values anywhere in it; a missing one has length 0 or 2**32 - 1."""

    texts: bytes
    key_begins: Numbers
    key_lengths: Numbers
    value_begins: Numbers
    value_lengths: Numbers

    @classmethod
    def of(cls, records: Packed) -> Self:
        """Take records as they came."""
        columns = ("key_begin", "key_length", "value_begin", "value_length")
        return cls(records.texts, *(np.ascontiguousarray(records.rows[name]) for name in columns))

    @classmethod
    def joined(cls, keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> Self:
        """Put keys and values one after another; nothing, where they are more than places can tell."""
        items = [*keys, *values]
        present = [item or b"" for item in items] if None in items else items
        lengths = np.fromiter(map(len, present), np.int64, len(present))  # type: ignore[arg-type] # none is missing
        ends = np.cumsum(lengths)
        if len(ends) == 0 or ends[-1] >= _MOST_BYTES:
            nothing = np.zeros(len(keys), np.uint32)
            return cls(b"", nothing, nothing, nothing, nothing)
        begins, sizes = (ends - lengths).astype(np.uint32), lengths.astype(np.uint32)
        count = len(keys)
        texts = b"".join(present)  # type: ignore[arg-type] # none is missing
        return cls(texts, begins[:count], sizes[:count], begins[count:], sizes[count:])


@dataclass(frozen=True, slots=True)
class _Topic:
    rows: type[EventRows]
    scanner: str  # the library's function
    rule: Callable[[Policy], Any]  # what this function is told besides the earliest instant
    of: Callable[[Any, Policy], EventRows]  # rows from the topic's plain columns


_TOPICS: Final = {
    LOGINS: _Topic(
        LoginRows,
        "scan_logins",
        lambda policy: policy.engaged_seconds,
        lambda columns, policy: LoginRows.of(columns, policy.engaged_seconds),
    ),
    TOUCHES: _Topic(
        TouchRows, "scan_touches", lambda policy: policy.currency.encode(), lambda columns, _: TouchRows.of(columns)
    ),
    TRANSACTIONS: _Topic(
        TransactionRows,
        "scan_transactions",
        lambda policy: policy.currency.encode(),
        lambda columns, _: TransactionRows.of(columns),
    ),
}


def scan(topic: str, batch: Batch, policy: Policy, earliest_ms: int) -> tuple[Array, int]:
    """Return a row for each record, and how many of them are sound; the others hold nothing else."""
    kind = _TOPICS[topic]
    rows = np.empty(len(batch.key_begins), kind.rows.DTYPE)
    texts, *places = batch
    sound: int = getattr(library(), kind.scanner)(
        texts, *(numbers.ctypes.data for numbers in places), len(rows), earliest_ms, kind.rule(policy), rows.ctypes.data
    )
    return rows, sound


def decode_rows(  # noqa: PLR0913 - a fetch as columns, and what it is judged by
    topic: str,
    offsets: Sequence[int],
    keys: Sequence[bytes | None],
    values: Sequence[bytes | None],
    *,
    policy: Policy,
    earliest_ms: int,
) -> Decoded[EventRows]:
    """Decode one fetch of a topic of the customer lane as `schemas.decode.decode` does, into rows."""

    def record(place: int) -> Record:
        return keys[place], values[place]

    return _decode(topic, offsets, Batch.joined(keys, values), record, policy, earliest_ms)


def are_placed(records: Packed, partition: int, partition_count: int) -> bool:
    """Say whether all keys lie where Kafka's own clients put them; see `pipeline.transport.partitioner.misplaced`."""
    if partition_count == 0 or (partition_count == 1 and partition == 0):
        return True
    rows = np.ascontiguousarray(records.rows)
    strays = library().batch_misplaced(records.texts, rows.ctypes.data, len(rows), partition, partition_count)
    return bool(strays == 0)


def decode_packed(
    topic: str, offsets: Sequence[int], records: Packed, *, policy: Policy, earliest_ms: int
) -> Decoded[EventRows]:
    """Decode one fetch of a topic of the customer lane as it came, without an object for each record."""
    return _decode(topic, offsets, Batch.of(records), records.record, policy, earliest_ms)


def _decode(  # noqa: PLR0913, PLR0917 - a fetch, and what it is judged by
    topic: str, offsets: Sequence[int], batch: Batch, record: Callable[[int], Record], policy: Policy, earliest_ms: int
) -> Decoded[EventRows]:
    kind = _TOPICS[topic]
    rows, sound = scan(topic, batch, policy, earliest_ms)
    if sound == len(rows):
        return Decoded(kind.rows(list(offsets), rows, batch.texts), [])
    doubtful = np.flatnonzero(rows["is_sound"] == 0).tolist()
    found = [record(place) for place in doubtful]
    judged = decode(
        topic,
        [offsets[place] for place in doubtful],
        [key for key, _ in found],
        [value for _, value in found],
        currency=policy.currency,
        earliest_ms=earliest_ms,
    )
    accepted = kind.of(judged.columns, policy)
    place_of = {offsets[place]: place for place in doubtful}
    taken = [place_of[offset] for offset in accepted.offset]
    move_texts(accepted.rows, len(batch.texts))
    rows[taken] = accepted.rows
    whole = kind.rows(list(offsets), rows, batch.texts + accepted.texts)
    return Decoded(whole.select((rows["is_sound"] != 0).tolist()), judged.rejected)
