"""What the scanner makes of records beside the plain decoder, and whether it looks beside a record, for the fuzzer."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from pipeline.native.decoding import Batch, scan
from pipeline.native.rows import LoginRows, TouchRows, TransactionRows
from schemas.common import DEFAULT_EARLIEST_MS
from schemas.decode import decode
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS
from tests.native.comparing import events_of_columns, events_of_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from pipeline.native.rows import EventRows
    from pipeline.state.policy import Policy
    from tests.native.comparing import Record

_ROWS: Final[dict[str, type[EventRows]]] = {LOGINS: LoginRows, TOUCHES: TouchRows, TRANSACTIONS: TransactionRows}
_GRAIN: Final = 8  # AddressSanitizer knows each byte of eight, from the first one on
_FILLINGS: Final = tuple(bytes([mark]) * 2 * _GRAIN for mark in b'0"}, \\')  # what might go on with a record
_RUNTIME: Final = ctypes.CDLL(None)


class Scanned:
    """A batch as the scanner has read it, and as the plain decoder has."""

    def __init__(self, topic: str, batch: Sequence[Record], policy: Policy) -> None:
        self._batch = batch
        keys, values = [key for key, _ in batch], [value for _, value in batch]
        together = Batch.joined(keys, values)
        rows, _ = scan(topic, together, policy, DEFAULT_EARLIEST_MS)
        self.sound: list[int] = rows["is_sound"].tolist()
        places = np.flatnonzero(rows["is_sound"])
        taken = _ROWS[topic](places.tolist(), rows[places], together.texts)
        self._found = events_of_rows(topic, taken)
        judged = decode(topic, range(len(batch)), keys, values, currency=policy.currency)
        self._judged: dict[int, Any] = {event[0]: event for event in events_of_columns(topic, judged.columns, policy)}
        self.accepted = len(self._judged)

    def faults(self) -> list[Record]:
        """Return the records that the scanner is sure of and the plain decoder reads otherwise, or does not take."""
        return [self._batch[event[0]] for event in self._found if self._judged.get(event[0]) != event]


def sound_apart(topic: str, batch: Sequence[Record], policy: Policy, random: Random) -> list[int]:
    """Say of each record whether the scanner takes it where other bytes stand around it, and other records come before.

    A byte read behind a key or value is one that the sanitizer forbids.
    """
    order = random.sample(range(len(batch)), len(batch))
    texts = [text or b"" for place in order for text in batch[place]]
    filling = random.choice(_FILLINGS)
    written = b"".join([text + filling[: _gap(len(text))] for text in texts])
    memory = ctypes.create_string_buffer(written, len(written))
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    ends = np.cumsum(lengths + [_gap(length) for length in lengths.tolist()])
    begins = np.concatenate(([0], ends[:-1]))
    address = ctypes.addressof(memory)
    for begin, length, end in zip(begins.tolist(), lengths.tolist(), ends.tolist(), strict=True):
        _tell_sanitizer("__asan_poison_memory_region", address + begin + length, end - begin - length)
    places = (
        np.ascontiguousarray(column, np.uint32) for column in (begins[::2], lengths[::2], begins[1::2], lengths[1::2])
    )
    rows, _ = scan(topic, Batch(cast("bytes", memory), *places), policy, DEFAULT_EARLIEST_MS)
    _tell_sanitizer("__asan_unpoison_memory_region", address, len(written))
    sound = dict(zip(order, rows["is_sound"].tolist(), strict=True))
    return [sound[place] for place in range(len(batch))]


def _gap(length: int) -> int:
    """Return how many bytes to leave behind a text, so that the next one begins a grain."""
    return _GRAIN + -length % _GRAIN


def _tell_sanitizer(name: str, address: int, size: int) -> None:
    function = getattr(_RUNTIME, name, None)  # None in a process without the sanitizer
    if function is not None:
        function(ctypes.c_void_p(address), ctypes.c_size_t(size))
