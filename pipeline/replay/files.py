"""Definitions and profiles that a replay takes from files, in place of the topics'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.errors import UserError
from pipeline.ingest.lines import batches_of_lines
from pipeline.ingest.sources import BrokenSourceError, text_chunks
from pipeline.operations.definitions import read_definitions, validated
from schemas.decode import decode_customer
from schemas.judge import RejectedError
from schemas.parser_limits import decode_at_any_depth

if TYPE_CHECKING:
    from pathlib import Path

import msgspec

_LONGEST: Final = 64 * 1024


class _Keyed(msgspec.Struct):
    customer_id: str


_KEYED: Final = msgspec.json.Decoder(_Keyed)


def read_campaigns(path: Path) -> dict[str, bytes]:
    """Return the definitions of a file as the topic carries them, by campaign.

    Raises:
        UserError: the file cannot be read, or a definition is not good; the message has the line.
    """
    return validated(read_definitions(path))


def read_profiles(path: Path) -> list[tuple[bytes, bytes]]:
    """Return the profiles of a file (NDJSON, gzip or not) as the topic carries them: key and value.

    Raises:
        UserError: the file cannot be read, or a profile is not good; the message has the line and no customer.
    """
    found: list[tuple[bytes, bytes]] = []
    number = 0
    try:
        with path.open("rb") as file:
            for lines in batches_of_lines(text_chunks(file, lambda _size: None), _LONGEST):
                for line in lines:
                    number += 1
                    if line.strip():
                        found.append(_profile(path, number, line.strip()))
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror})", "name a file of customers, one JSON a line"
        ) from error
    except BrokenSourceError as error:
        raise UserError(f"{path} {error}", "name a whole file") from error
    return found


def _profile(path: Path, number: int, line: bytes) -> tuple[bytes, bytes]:
    try:
        key = decode_at_any_depth(_KEYED, line).customer_id.encode()
        decode_customer(key, line)
    except msgspec.MsgspecError as error:
        raise UserError(f"{path}:{number}: no customer: it is not JSON, or has no customer_id", "correct it") from error
    except RejectedError as error:
        raise UserError(f"{path}:{number}: {error.detail}", "correct it; nothing was replayed") from error
    return key, line
