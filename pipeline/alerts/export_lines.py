"""Lines of a warehouse's export: NDJSON, plain or gzip, or Parquet, checked one by one."""

from __future__ import annotations

import reprlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec

from pipeline.errors import UserError
from pipeline.ingest.lines import batches_of_lines
from pipeline.ingest.sources import BrokenSourceError, text_chunks
from schemas.common import DEFAULT_EARLIEST_MS, MAX_MONEY_MINOR
from schemas.instants import instant_text, parse_instant, to_epoch_milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PARQUET: Final = b"PAR1"
_LONGEST: Final = 64 * 1024
_ROWS: Final = 65_536
_MEND: Final = "correct the export; nothing was read"


class CostLine(msgspec.Struct, frozen=True):
    """A cost; ``at`` in epoch milliseconds, ``line`` where it stands."""

    campaign_id: str
    product: str
    at: int
    cost_minor: int
    line: int


class CreditLine(msgspec.Struct, frozen=True):
    """What a transaction returned to a campaign, or (below 0) what a reversal took back."""

    campaign_id: str
    customer: str
    touched_at: int
    converted_at: int
    return_minor: int
    line: int


Line = TypeVar("Line", CostLine, CreditLine)


class Plausible(NamedTuple):
    """Which instants an export may have, in epoch milliseconds.

    One wrong date of one line would stretch all steps, and the window that campaigns of a product share.

    Attributes:
        earliest_ms: as of events, the setting time.earliest.
        latest_ms: None = no limit.
    """

    earliest_ms: int = DEFAULT_EARLIEST_MS
    latest_ms: int | None = None


def read_lines(path: Path, kind: type[Line], plausible: Plausible) -> Iterator[Line]:
    """Yield the lines of a file.

    Raises:
        UserError: the file cannot be read, or a line is not of this kind; the message has file and line.
    """
    for number, row in _rows(path):
        values: dict[str, Any] = {"line": number}
        for name in kind.__struct_fields__[:-1]:
            try:
                values[name] = _value(name, row[name])
            except KeyError:
                raise UserError(f"{path}:{number}: {name} is missing", _MEND) from None
            except ValueError as error:
                raise UserError(f"{path}:{number}: {name} {error}", _MEND) from None
            if name == "at" or name.endswith("_at"):
                _check(f"{path}:{number}: {name}", values[name], plausible)
        yield kind(**values)


def _check(place: str, instant: int, plausible: Plausible) -> None:
    if instant < plausible.earliest_ms:
        earliest = instant_text(plausible.earliest_ms)
        raise UserError(
            f"{place} is before {earliest}, the setting time.earliest",
            "correct the export, or set it lower; nothing was read",
        )
    if plausible.latest_ms is not None and instant > plausible.latest_ms:
        raise UserError(f"{place} is more than a year ahead of this machine's clock", _MEND)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open("rb") as stream:
            if stream.read(len(_PARQUET)) == _PARQUET:
                yield from _parquet(path)
                return
            stream.seek(0)
            number = 0
            for batch in batches_of_lines(text_chunks(stream, lambda _: None), _LONGEST):
                for text in batch:
                    number += 1
                    if text.strip():
                        yield number, _object(path, number, text)
    except (OSError, BrokenSourceError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{path} cannot be read ({words})", "name an NDJSON or Parquet file") from error


def _object(path: Path, number: int, text: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}:{number}: not a JSON object ({error})", _MEND) from error
    except RecursionError as error:
        raise UserError(f"{path}:{number}: nested too deeply to be a line of an export", _MEND) from error
    return found


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        number = 0
        for batch in pq.ParquetFile(path).iter_batches(_ROWS):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pa.ArrowException, ValueError, OverflowError) as error:  # the latter: a date that Python has not
        raise UserError(f"{path} is no Parquet file that can be read ({error})", "write it again") from error
    except LookupError as error:
        raise UserError(f"{path} has times of an unknown zone ({error})", "write them in UTC") from error


def _value(name: str, value: Any) -> int | str:
    if name.endswith("_minor"):
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > MAX_MONEY_MINOR:
            raise ValueError(f"== {reprlib.repr(value)}, must be a whole number of minor units up to {MAX_MONEY_MINOR}")
        return value
    if name == "at" or name.endswith("_at"):
        return _instant(value)
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text")
    return value


def _instant(value: Any) -> int:
    if isinstance(value, datetime):
        return to_epoch_milliseconds(value if value.tzinfo else value.replace(tzinfo=UTC))
    if not isinstance(value, str):
        raise ValueError("must be an RFC 3339 date and time with an offset")  # noqa: TRY004 - one kind for the caller
    try:
        return to_epoch_milliseconds(parse_instant(value))
    except ValueError:
        raise ValueError("must be an RFC 3339 date and time with an offset") from None
