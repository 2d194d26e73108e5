"""Definitions and profiles that a replay takes from files, in place of the topics'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.errors import UserError
from pipeline.ingest.lines import batches_of_lines, stripped
from pipeline.ingest.recognise import recognised
from pipeline.ingest.records import RefusedError, parser_for
from pipeline.ingest.sources import BrokenSourceError, text_chunks
from pipeline.operations.definitions import read_definitions, validated
from schemas.decode import decode_customer
from schemas.judge import RejectedError
from schemas.topics import CUSTOMERS

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST: Final = 64 * 1024
_MEND: Final = "correct it; nothing was replayed"
_CONVERTED: Final = "customers.ndjson"
_PARSE: Final = parser_for(CUSTOMERS)


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
            text = recognised(str(path), text_chunks(file, lambda _size: None), "nothing was replayed", _CONVERTED)
            for lines in batches_of_lines(text, _LONGEST):
                for line in lines:
                    number += 1
                    if profile := stripped(line):
                        found.append(_profile(path, number, profile))
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror})", "name a file of customers, one JSON a line"
        ) from error
    except BrokenSourceError as error:
        raise UserError(f"{path} {error}", "name a whole file") from error
    return found


def _profile(path: Path, number: int, line: bytes) -> tuple[bytes, bytes]:
    place = f"{path}:{number}"
    if len(line) > _LONGEST:
        raise UserError(f"{place}: longer than {_LONGEST:,} bytes", _MEND)
    try:
        line.decode()
        _, key, _ = _PARSE(line)
        decode_customer(key, line)
    except UnicodeDecodeError:  # it would show the customer
        remedy = f"convert the file first (where it is in GBK: iconv -f GBK -t UTF-8 FILE > {_CONVERTED})"
        raise UserError(f"{place}: not UTF-8 text", remedy) from None
    except RefusedError as error:
        raise UserError(f"{place}: {error}", _MEND) from error
    except RejectedError as error:
        raise UserError(f"{place}: {error.detail}", _MEND) from error
    return key, line
