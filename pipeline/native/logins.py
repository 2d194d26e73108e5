"""Batches of logins as rows that the compiled core takes, and the decoder that makes them.

The scanner (native/scan.c) takes the records that it is sure of; the others go the plain way, so that the pydantic
models keep the last word.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from pipeline.native.library import LOGIN, NOBODY, library
from schemas.decode import Decoded, decode
from schemas.topics import LOGINS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from pipeline.state.policy import Policy
    from schemas.columns import LoginColumns

    Rows = npt.NDArray[np.void]
    Texts = tuple[bytes, array[int]]  # texts one after another, and the length of each

_MOST_BYTES: Final = 1 << 31  # of a batch; a fetch holds a few MB


class LoginRows:
    """Logins of one batch; ``texts`` holds the ids that the rows point to."""

    __slots__ = ("occurred_at", "offset", "rows", "texts")

    def __init__(self, offset: list[int], rows: Rows, texts: bytes) -> None:
        self.offset = offset
        self.rows = rows
        self.texts = texts
        self.occurred_at: list[int] = rows["at"].tolist()

    def __len__(self) -> int:
        return len(self.offset)

    @property
    def customer_id(self) -> list[str]:
        """The customers' ids."""
        return self._ids(self.rows)

    def strangers(self) -> list[str]:
        """Return the ids of those who are strangers to the shard that was asked last, once per login."""
        return self._ids(self.rows[self.rows["customer"] == NOBODY])

    def _ids(self, rows: Rows) -> list[str]:
        texts = self.texts
        places = zip(rows["id"].tolist(), rows["id_length"].tolist(), strict=True)
        return [texts[start : start + length].decode() for start, length in places]

    def select(self, keep: Sequence[bool]) -> Self:
        """Return the logins marked True."""
        kept = np.fromiter(keep, np.bool_, len(keep))
        offset = [self.offset[row] for row in np.flatnonzero(kept).tolist()]
        return type(self)(offset, self.rows[kept], self.texts)

    @classmethod
    def of(cls, columns: LoginColumns, engaged_seconds: float) -> Self:
        """Take plain columns."""
        ids = [customer_id.encode() for customer_id in columns.customer_id]
        lengths = np.fromiter(map(len, ids), np.int64, len(ids))
        rows = np.zeros(len(ids), LOGIN)
        rows["at"] = columns.occurred_at
        rows["id"] = np.cumsum(lengths) - lengths
        rows["id_length"] = lengths
        rows["engaged"] = [
            not automated and (seconds is None or seconds >= engaged_seconds)
            for automated, seconds in zip(columns.automated, columns.session_seconds, strict=True)
        ]
        rows["is_sound"] = True
        return cls(columns.offset, rows, b"".join(ids))


def decode_logins(
    offsets: Sequence[int],
    keys: Sequence[bytes | None],
    values: Sequence[bytes | None],
    *,
    policy: Policy,
    earliest_ms: int,
) -> Decoded[LoginRows]:
    """Decode one fetch of the logins' topic as `schemas.decode.decode` does, into rows."""
    texts, lengths = _joined(values)
    rows = np.zeros(len(offsets), LOGIN)
    sound = 0
    if len(texts) < _MOST_BYTES:
        key_texts, key_lengths = _joined(keys)
        sound = library().scan_logins(
            key_texts,
            key_lengths.buffer_info()[0],
            texts,
            lengths.buffer_info()[0],
            len(offsets),
            earliest_ms,
            policy.engaged_seconds,
            rows.ctypes.data,
        )
    if sound == len(offsets):
        return Decoded(LoginRows(list(offsets), rows, texts), [])
    doubtful = np.flatnonzero(rows["is_sound"] == 0).tolist()
    judged = decode(
        LOGINS,
        [offsets[row] for row in doubtful],
        [keys[row] for row in doubtful],
        [values[row] for row in doubtful],
        currency=policy.currency,
        earliest_ms=earliest_ms,
    )
    accepted = LoginRows.of(judged.columns, policy.engaged_seconds)  # type: ignore[arg-type] # the topic's own columns
    row_of = {offsets[row]: row for row in doubtful}
    taken = [row_of[offset] for offset in accepted.offset]
    accepted.rows["id"] += len(texts)
    rows[taken] = accepted.rows
    whole = LoginRows(list(offsets), rows, texts + accepted.texts)
    return Decoded(whole.select(rows["is_sound"].tolist()), judged.rejected)


def _joined(items: Sequence[bytes | None]) -> Texts:
    """Return texts one after another; what is missing is empty, which no sound record has."""
    present = [item or b"" for item in items] if None in items else items
    return b"".join(present), array("I", map(len, present))  # type: ignore[arg-type] # none is missing
