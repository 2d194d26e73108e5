"""Batches of events as rows that the compiled core takes: each topic's structure of native/core.h, and the texts.

A row holds numbers; ids and names are places in ``texts``, of which no object is made unless somebody asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Self, get_args

import numpy as np

from pipeline.ledger.rows import AUM_GIVEN, AUTOMATED, CROSS_BANK, RECOMMENDED, REVENUE_GIVEN
from pipeline.native.library import LOGIN, NOBODY, TOUCH, TRANSACTION
from schemas.common import TransactionKind
from schemas.touch import TouchKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from schemas.columns import LoginColumns, TouchColumns, TransactionColumns

    Array = npt.NDArray[np.void]

_TOUCH_KIND_NUMBERS: Final = {name: number for number, name in enumerate(get_args(TouchKind))}
_TRANSACTION_KIND_NUMBERS: Final = {name: number for number, name in enumerate(get_args(TransactionKind))}


class EventRows:
    """Events of one batch; ``texts`` holds the texts that the rows point to, UTF-8."""

    __slots__ = ("offset", "rows", "texts")
    DTYPE: ClassVar[np.dtype[np.void]]

    def __init__(self, offset: list[int], rows: Array, texts: bytes) -> None:
        self.offset = offset
        self.rows = rows
        self.texts = texts

    def __len__(self) -> int:
        return len(self.offset)

    @property
    def occurred_at(self) -> npt.NDArray[np.int64]:
        """The events' times, epoch milliseconds; a copy, for who keeps them need not keep the rows."""
        return self.rows["at"].copy()

    @property
    def customer_id(self) -> list[str]:
        """The customers' ids."""
        return self.texts_of("customer_id")

    def texts_of(self, name: str) -> list[str]:
        """Return one field of every row, the empty text where it is not given."""
        return self._read(name, self.rows)

    def strangers(self) -> list[str]:
        """Return the ids of those who are strangers to the shard that was asked last, once per event."""
        return self._read("customer_id", self.rows[self.rows["customer"] == NOBODY])

    def _read(self, name: str, rows: Array) -> list[str]:
        texts = self.texts
        places = zip(rows[f"{name}_begin"].tolist(), rows[f"{name}_length"].tolist(), strict=True)
        return [texts[start : start + length].decode() for start, length in places]

    def select(self, keep: Sequence[bool]) -> Self:
        """Return the events marked True."""
        if False not in keep:  # the usual case
            return self
        kept = np.fromiter(keep, np.bool_, len(keep))
        offset = [self.offset[row] for row in np.flatnonzero(kept).tolist()]
        return type(self)(offset, self.rows[kept], self.texts)

    @classmethod
    def _blank(cls, count: int) -> Array:
        """Return rows of events that the judge has accepted."""
        rows = np.zeros(count, cls.DTYPE)
        rows["customer"] = NOBODY
        rows["is_sound"] = True
        return rows


class LoginRows(EventRows):
    """Records of ``bank.logins.v1``."""

    __slots__ = ()
    DTYPE = LOGIN

    @classmethod
    def of(cls, columns: LoginColumns, engaged_seconds: float) -> Self:
        """Take plain columns."""
        rows = cls._blank(len(columns))
        rows["at"] = columns.occurred_at
        rows["flags"] = np.array(columns.automated, np.bool_) * np.uint8(AUTOMATED)
        rows["engaged"] = [
            not automated and (seconds is None or seconds >= engaged_seconds)
            for automated, seconds in zip(columns.automated, columns.session_seconds, strict=True)
        ]
        return cls(columns.offset, rows, _write(rows, {"customer_id": columns.customer_id}))


class TouchRows(EventRows):
    """Records of ``bank.touches.v1``."""

    __slots__ = ()
    DTYPE = TOUCH

    @classmethod
    def of(cls, columns: TouchColumns) -> Self:
        """Take plain columns."""
        rows = cls._blank(len(columns))
        rows["at"] = columns.occurred_at
        rows["kind"] = [_TOUCH_KIND_NUMBERS[kind] for kind in columns.kind]
        rows["flags"] = [
            AUTOMATED * automated | RECOMMENDED * recommended
            for automated, recommended in zip(columns.automated, columns.recommended, strict=True)
        ]
        rows["cost_minor"] = columns.cost_minor
        rows["arm"] = NOBODY
        texts = {name: getattr(columns, name) for name in _text_fields(cls.DTYPE)}
        return cls(columns.offset, rows, _write(rows, texts))


class TransactionRows(EventRows):
    """Records of ``bank.transactions.v1``."""

    __slots__ = ()
    DTYPE = TRANSACTION

    @classmethod
    def of(cls, columns: TransactionColumns) -> Self:
        """Take plain columns."""
        rows = cls._blank(len(columns))
        rows["at"] = columns.occurred_at
        rows["kind"] = [_TRANSACTION_KIND_NUMBERS[kind] for kind in columns.kind]
        rows["flags"] = [
            CROSS_BANK * cross_bank | REVENUE_GIVEN * (revenue is not None) | AUM_GIVEN * (aum_delta is not None)
            for cross_bank, revenue, aum_delta in zip(
                columns.cross_bank, columns.revenue_minor, columns.aum_delta_minor, strict=True
            )
        ]
        rows["amount_minor"] = columns.amount_minor
        rows["revenue_minor"] = [revenue or 0 for revenue in columns.revenue_minor]
        rows["aum_delta_minor"] = [aum_delta or 0 for aum_delta in columns.aum_delta_minor]
        texts = {name: getattr(columns, name) for name in _text_fields(cls.DTYPE)}
        return cls(columns.offset, rows, _write(rows, texts))


def move_texts(rows: Array, by: int) -> None:
    """Let rows point to their texts where these have been put behind ``by`` other bytes."""
    for name in _text_fields(rows.dtype):
        rows[f"{name}_begin"] += by


def _text_fields(dtype: np.dtype[np.void]) -> list[str]:
    return [name.removesuffix("_begin") for name in dtype.names or () if name.endswith("_begin")]


def _write(rows: Array, columns: Mapping[str, Sequence[str | None]]) -> bytes:
    """Put texts one after another, let the rows point to them, and return them."""
    written: list[bytes] = []
    size = 0
    for name, column in columns.items():
        texts = [(text or "").encode() for text in column]
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        rows[f"{name}_begin"] = size + np.cumsum(lengths) - lengths
        rows[f"{name}_length"] = lengths
        size += int(lengths.sum())
        written += texts
    return b"".join(written)
